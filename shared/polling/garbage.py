"""Garbage collection: expired rows, and objects in the storage that nothing refers to.

The poller deletes what is recorded as garbage. `collect_orphans` finds what was never recorded by listing the storage:
objects left when a database was restored from a backup, or a program was killed between two writes.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import TypeVar
from uuid import UUID

from shared.accounts import token_store
from shared.clients.storage import PAGE, StoredObject
from shared.core import rate_limits
from shared.core.errors import Unavailable
from shared.exports import store as export_store
from shared.generators.base import Stop, never_stop
from shared.jobs import upload_store
from shared.jobs.states import LOST_OBJECTS_KEPT_S
from shared.likeness import store as likeness_store
from shared.polling import garbage_store
from shared.polling.garbage_store import ClaimedPrefix
from shared.scenes import catalogue
from shared.scenes import pictures as scene_files
from shared.services import Services

GARBAGE_AT_ONCE = 500
SIDE_BY_SIDE = 8
"""How many requests the storage gets at once: a prefix costs one that lists it, a thousand objects one more."""
ROUND_S = 8.0
"""How long a round of deleting lasts at most, so that another process can take turns with this one."""
RETIRED_AT_ONCE = 500
FOLDERS = ("jobs/", "uploads/", "archives/", "exports/", "scenes/", "conformance/")
"""Every folder that Easel writes to in its bucket. Objects elsewhere are not Easel's, and are kept."""

Found = TypeVar("Found")

_NOT_DELETED = "objects of garbage are not deleted, and are tried again in minutes: %s"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Removed:
    """Objects that were deleted, or would be: their number and their total size."""

    objects: int = 0
    size_bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.objects + other.objects, self.size_bytes + other.size_bytes)


@dataclass(frozen=True, slots=True)
class Listed:
    """A claimed prefix and the sizes of its objects, by key; None if they were refused, or the time was over before."""

    claimed: ClaimedPrefix
    sizes: dict[str, int] | None
    is_late: bool = False


@dataclass(frozen=True)
class Retired:
    """How many rows are past their time: tokens, uploads that no job uses, likenesses, and replaced scene pictures."""

    tokens: int
    uploads: int
    likenesses: int
    scene_pictures: int


@dataclass(frozen=True)
class Waste:
    """What is past its time, and how many prefixes of garbage are due."""

    retired: Retired
    prefixes: int


def count_waste(services: Services) -> Waste:
    """Return what `retire` and `empty_garbage` would delete now."""
    with services.db.statement() as connection:
        return Waste(
            Retired(
                tokens=token_store.count_expired_tokens(connection),
                uploads=upload_store.count_unused(connection),
                likenesses=likeness_store.count_expired(connection),
                scene_pictures=catalogue.count_retired(connection),
            ),
            prefixes=garbage_store.count_due(connection),
        )


def retire(services: Services) -> Retired:
    """Drop what is past its time; return how many of each. Likenesses keep their rows and lose their files.

    The objects of uploads, likenesses and scene pictures become garbage. Each transaction drops a limited number. Rate
    limits that are full again and expired exports are deleted, and not counted.
    """
    tokens = likenesses = 0
    with services.db.statement() as connection:
        while found := token_store.drop_expired_tokens(connection, RETIRED_AT_ONCE):
            tokens += found
        while found := likeness_store.expire(connection, RETIRED_AT_ONCE):
            likenesses += found
        while rate_limits.drop_full(connection, RETIRED_AT_ONCE) == RETIRED_AT_ONCE:
            pass
        export_store.give_up_old(connection)
        export_store.drop_expired(connection)
        scene_pictures = catalogue.drop_retired(connection)
    return Retired(tokens, _retire_uploads(services), likenesses, scene_pictures)


def _retire_uploads(services: Services) -> int:
    dropped = 0
    while True:
        with services.db.begin() as connection:
            looked = upload_store.drop_unused(connection, RETIRED_AT_ONCE)
        dropped += looked.dropped
        if not looked.seen:
            return dropped


def empty_garbage(services: Services, limit_s: float = ROUND_S, stop: Stop = never_stop) -> Removed:
    """Delete the objects under the prefixes that are due, for about `limit_s` or until `stop`; return how many.

    The database is not held meanwhile: prefixes are claimed, their objects are deleted, then their rows. If this
    process dies in between, a prefix is due again when its lease has run out. So is one whose objects the storage
    refuses to delete, because of a lock or a policy; the others do not wait for it.

    Raises:
        Unavailable: the storage or the database cannot be reached; what was not deleted is due again.
    """
    end = time.monotonic() + limit_s

    def is_over() -> bool:
        return stop() or time.monotonic() >= end

    removed = Removed()
    with ThreadPoolExecutor(SIDE_BY_SIDE, "garbage") as threads:
        while True:
            with services.db.statement() as connection:
                claimed = garbage_store.claim_due(connection, GARBAGE_AT_ONCE)
            if claimed:
                removed += _empty(services, threads, claimed, is_over)
            if len(claimed) < GARBAGE_AT_ONCE or is_over():
                return removed


def _empty(services: Services, threads: ThreadPoolExecutor, claimed: Sequence[ClaimedPrefix], is_over: Stop) -> Removed:
    """Delete the objects under claimed prefixes. A prefix that is not looked at in time is due again at once."""
    try:
        listed = list(threads.map(partial(_list_below, services, is_over), claimed))
        # A prefix may be within another one.
        sizes = {key: size for entry in listed for key, size in (entry.sizes or {}).items()}
        keys = list(sizes)
        pages = [keys[begin : begin + PAGE] for begin in range(0, len(keys), PAGE)]
        refused = frozenset(chain.from_iterable(threads.map(partial(_delete, services), pages)))
    except Unavailable:
        with services.db.statement() as connection:
            garbage_store.release(connection, claimed)
        raise
    with services.db.statement() as connection:
        emptied = [entry.claimed for entry in listed if entry.sizes is not None and refused.isdisjoint(entry.sizes)]
        garbage_store.drop(connection, emptied)
        if late := [entry.claimed for entry in listed if entry.is_late]:
            garbage_store.release(connection, late)
    return Removed(len(sizes) - len(refused), sum(size for key, size in sizes.items() if key not in refused))


def _list_below(services: Services, is_over: Stop, entry: ClaimedPrefix) -> Listed:
    if is_over():
        return Listed(entry, None, is_late=True)
    return Listed(entry, _attempt(services, partial(services.storage.sizes_bytes, entry.prefix)))


def _delete(services: Services, keys: Sequence[str]) -> Collection[str]:
    """Delete objects; return the keys of those that the storage refuses to delete."""
    refused = _attempt(services, partial(services.storage.delete_each, keys))
    if refused is None:
        return keys
    for code in sorted(set(refused.values())):
        _log.warning(_NOT_DELETED, f"The storage did not delete an object ({code}).")
    return refused


def _attempt(services: Services, call: Callable[[], Found]) -> Found | None:
    """Return what a call of the storage came to, None if it refuses this one and yet answers.

    Raises:
        Unavailable: the storage cannot be reached.
    """
    try:
        return call()
    except Unavailable as error:
        services.storage.check()
        _log.warning(_NOT_DELETED, error.detail)
        return None


def collect_orphans(services: Services, *, dry_run: bool) -> Iterator[tuple[str, int, Removed]]:
    """Delete every object that nothing refers to and that is at least an hour old; with `dry_run` only count them.

    Yields for each page of the listing its folder, how many objects the page has, and what was deleted of it.

    Nothing that is still wanted can be among it: keys contain the attempt token of the claim under which they were
    written, and a token is never used again. An object that belongs to no picture and not to the present claim of a
    running job is therefore not wanted now and never will be. The hour is for uploads under way, and for clocks that
    differ. Raises Unavailable.
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
    """Return the keys of those objects that something refers to, or may come to refer to."""
    keys = [entry.key for entry in objects]
    claims = {key: claim for key in keys if (claim := _claim_of(key)) is not None}
    uploads = [key for key in keys if key.startswith("uploads/")]
    wanted: set[str] = set()
    with services.db.statement() as connection:
        if claims:
            job_ids = {job_id for job_id, _ in claims.values()}
            used = garbage_store.list_keys_in_use(connection, job_ids)
            wanted |= used.keys
            wanted |= {key for key, (job_id, token) in claims.items() if f"{job_id}/{token}" in used.claims}
        if uploads:
            wanted |= upload_store.list_known_keys(connection, uploads)
        if exports := [key for key in keys if key.startswith("exports/")]:
            wanted |= export_store.list_known_keys(connection, exports)
        if scenes := {key: found for key in keys if (found := scene_files.id_of(key)) is not None}:
            known = catalogue.list_known_ids(connection, set(scenes.values()))
            wanted |= {key for key, found in scenes.items() if found in known}
    return wanted


def _claim_of(key: str) -> tuple[UUID, UUID] | None:
    """Return the job and the attempt token in a key; None for a key that no step has written."""
    parts = key.split("/")
    if parts[0] != "jobs" or len(parts) < 3:
        return None
    try:
        return UUID(parts[1]), UUID(parts[2])
    except ValueError:
        return None
