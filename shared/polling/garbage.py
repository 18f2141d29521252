"""Getting rid of what nobody refers to any more: rows that have had their time, and objects in the storage.

The poller empties what is written down as garbage. `collect_orphans` finds what was never written down, by walking the
storage: what is left when a database was restored from a backup, or a program was killed between two writes.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.accounts import store as user_store
from shared.clients.storage import StoredObject
from shared.jobs import upload_store
from shared.jobs.states import LOST_OBJECTS_KEPT_S
from shared.polling import garbage_store
from shared.services import Services

GARBAGE_AT_ONCE = 50
FOLDERS = ("jobs/", "uploads/", "conformance/")
"""All that Easel writes into its bucket. What lies elsewhere is not its own, and stays."""


@dataclass(frozen=True)
class Removed:
    """Objects that were deleted, or would be: how many, and how much."""

    objects: int = 0
    size_bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.objects + other.objects, self.size_bytes + other.size_bytes)


@dataclass(frozen=True)
class Waste:
    """Rows that have had their time: expired tokens, announced uploads that no job uses, prefixes of due garbage."""

    tokens: int
    uploads: int
    prefixes: int


def count_waste(services: Services) -> Waste:
    """What `retire` and `empty_garbage` would get rid of now."""
    with services.db.statement() as connection:
        return Waste(
            tokens=user_store.count_expired_tokens(connection),
            uploads=upload_store.count_unused(connection),
            prefixes=garbage_store.count_due(connection),
        )


def retire(services: Services) -> tuple[int, int]:
    """Drop expired tokens, and uploads of more than 24 hours ago that no job uses; return how many of each. The
    uploads' objects become garbage."""
    with services.db.begin() as connection:
        return user_store.drop_expired_tokens(connection), upload_store.drop_unused(connection)


def empty_garbage(services: Services) -> Removed:
    """Delete the objects under some of the prefixes that are due; none when nothing is due. Raises Unavailable, and
    the prefixes stay."""
    removed = Removed()
    with services.db.begin() as connection:
        for prefix in garbage_store.claim_garbage(connection, GARBAGE_AT_ONCE):
            sizes = services.storage.sizes_bytes(prefix)
            services.storage.delete(sizes)
            removed += Removed(len(sizes), sum(sizes.values()))
    return removed


def collect_orphans(services: Services, *, dry_run: bool) -> Iterator[tuple[str, int, Removed]]:
    """Delete every object that nobody refers to and that is at least an hour old; gives, page by page, the folder, how
    many objects the page has and what was deleted of it. With `dry_run` nothing is. Raises Unavailable.

    Nothing that is still wanted can be among it: keys carry the token of the claim under which they were written, and
    claims only ever get new ones. An object that is in no picture's row and not under the present claim of a running
    job is therefore wanted by nobody, and never will be. The hour is for uploads on their way, and for clocks.
    """
    with services.db.statement() as connection:
        old = garbage_store.get_time(connection) - timedelta(seconds=LOST_OBJECTS_KEPT_S)
    for folder in FOLDERS:
        for page in services.storage.pages(folder):
            orphans = [entry for entry in page if entry.modified_at < old]
            wanted = _wanted(services, orphans)
            orphans = [entry for entry in orphans if entry.key not in wanted]
            if not dry_run and orphans:
                services.storage.delete([entry.key for entry in orphans])
            yield folder, len(page), Removed(len(orphans), sum(entry.size_bytes for entry in orphans))


def _wanted(services: Services, objects: Collection[StoredObject]) -> set[str]:
    """The keys of those objects that somebody refers to, or may come to refer to."""
    keys = [entry.key for entry in objects]
    claims = {key: claim for key in keys if (claim := _claim_of(key)) is not None}
    uploads = [key for key in keys if key.startswith("uploads/")]
    wanted: set[str] = set()
    with services.db.statement() as connection:
        if claims:
            job_ids = {job_id for job_id, _ in claims.values()}
            used, held = garbage_store.list_used_keys(connection, job_ids)
            wanted |= used | {key for key, (job_id, token) in claims.items() if f"{job_id}/{token}" in held}
        if uploads:
            wanted |= upload_store.list_known_keys(connection, uploads)
    return wanted


def _claim_of(key: str) -> tuple[UUID, UUID] | None:
    """The job and the attempt token in a key; None for one that no step has written."""
    parts = key.split("/")
    if parts[0] != "jobs" or len(parts) < 3:
        return None
    try:
        return UUID(parts[1]), UUID(parts[2])
    except ValueError:
        return None
