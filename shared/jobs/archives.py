"""The ZIP file of a group: its pictures and videos, written into the storage, from where the caller gets it.

A function cannot answer with hundreds of megabytes, but it can pass them on: one picture after the other through a
file on its disk.
"""

import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Literal
from unicodedata import normalize
from uuid import UUID

from shared.accounts.auth import Credential
from shared.clients.storage import ObjectMissing, ObjectTooLarge, Storage
from shared.core import garbage
from shared.core.errors import NotSucceeded, TooLarge
from shared.core.turns import Turns
from shared.jobs import groups
from shared.jobs.group_store import ARCHIVES
from shared.jobs.records import JobImage, JobRecord
from shared.services import Services

MAX_BYTES = 400 * 1000 * 1000
"""The files of an archive: it has to fit on the disk of a cloud function, 512 MB."""

AT_ONCE = 2
"""The archives that a process makes at the same time; another request is told to come back."""

READ_AT_ONCE = 4
MADE_FOR_S, KEPT_S = 3600, 2 * 3600
"""An archive is given out for an hour at most, and deleted two hours after it was made."""

_turns = Turns(AT_ONCE)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A stored object, and the name and time that it has in the archive."""

    name: str
    key: str
    at: tuple[int, int, int, int, int, int]


def group_url(
    services: Services, credential: Credential, group_id: UUID, *, method: Literal["GET", "HEAD"] = "GET"
) -> str:
    """Return a presigned URL of the ZIP file of a user's own group, as it is now; it is made if there is none.

    Raises:
        NotFound: The group does not exist, or is another user's.
        NotSucceeded: No job of it has pictures.
        TooLarge: The pictures are more than MAX_BYTES.
        Unavailable: This process makes other archives, or the storage does not answer.
    """
    files = list_files(groups.get(services, credential, group_id).jobs)
    if not files:
        raise NotSucceeded("No job of this group has pictures.")
    key = _key(group_id, files)
    if not _exists(services.storage, key):
        with _turns.turn(0, "Other ZIP files are being made. Try again in a few seconds.", retry_after_s=5):
            _store(services, key, files)
    name = f"easel-{group_id}.zip"
    return services.storage.presigned_url(key, datetime.now(UTC), download_name=name, method=method)


def list_files(jobs: Sequence[JobRecord], first: int = 1) -> list[ArchivedFile]:
    """Return what the ZIP file of these jobs holds: each picture, and after the first of a job its video.

    Names are numbered by job, so that they are in the order of the requests, and unique. first: the first job's number.
    """
    return [
        ArchivedFile(f"{name}.{key.rsplit('.', 1)[-1]}", key, local_time(job.finished_at or job.created_at))
        for number, job in enumerate(jobs, first)
        for image in job.images
        for name in [_name(number, job, image)]
        for key in (image.key, image.timelapse_key)
        if key is not None
    ]


def _name(number: int, job: JobRecord, image: JobImage) -> str:
    """Return `<number>-<words of the prompt>-<style>-<seed>`, with the picture's place where a job has several."""
    style = json.loads(job.settings).get("style")
    if isinstance(style, list):
        style = style[image.index] if image.index < len(style) else None
    place = f"{number:03}" if len(job.images) == 1 else f"{number:03}.{image.index + 1}"
    parts = (place, _slug(job.prompt), style, None if image.seed is None else str(image.seed))
    return "-".join(part for part in parts if part)


def _slug(prompt: str) -> str:
    """Return the first words of a prompt, of letters and digits of any language only."""
    words = re.findall(r"\w+", normalize("NFC", prompt).replace("_", " ").lower())
    return "-".join(words)[:40].strip("-")


def local_time(at: str) -> tuple[int, int, int, int, int, int]:
    """Return the time of an entry, of which a ZIP file says no zone; none is before 1980."""
    made = datetime.fromisoformat(at)
    return (max(made.year, 1980), made.month, made.day, made.hour, made.minute, made.second)


def _key(group_id: UUID, files: Sequence[ArchivedFile]) -> str:
    """Return the object's key: another one when the pictures change, and each hour.

    So an archive that is about to be deleted is never given out.
    """
    what = "\n".join(file.key for file in files)
    hour = int(time.time()) // MADE_FOR_S
    return f"{ARCHIVES}{group_id}/{hour}-{sha256(what.encode()).hexdigest()[:16]}.zip"


def _exists(storage: Storage, key: str) -> bool:
    try:
        return storage.size_bytes(key) > 0
    except ObjectMissing:
        return False


def _store(services: Services, key: str, files: Sequence[ArchivedFile]) -> None:
    with services.db.begin() as connection:
        garbage.discard(connection, key, in_s=KEPT_S)
    with TemporaryFile() as made:
        write(made, files, services.storage.get)
        size_bytes = made.tell()
        made.seek(0)
        services.storage.put_file(key, made, size_bytes, "application/zip")


def write(made: IO[bytes], files: Sequence[ArchivedFile], get: Callable[[str, int], bytes]) -> None:
    """Write the ZIP file. `get(key, max_bytes)` reads an object; one that is missing is left out. Raises TooLarge."""
    written = 0

    def read(key: str) -> bytes:
        return get(key, MAX_BYTES - written)

    # Stored without compression, which pictures have already.
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for _, size_bytes in add(archive, files, read):
            written += size_bytes
            if written > MAX_BYTES:
                raise _too_large()
        if not archive.namelist():
            raise NotSucceeded("The pictures of this group are not in the storage.")


def add(
    archive: zipfile.ZipFile, files: Sequence[ArchivedFile], get: Callable[[str], bytes]
) -> Iterator[tuple[ArchivedFile, int]]:
    """Read objects, a few at the same time, and write them into a ZIP file; yield each with its size.

    An object that is missing is left out. Raises TooLarge where `get` raises ObjectTooLarge.
    """

    def read(file: ArchivedFile) -> bytes | None:
        try:
            return get(file.key)
        except ObjectMissing:
            return None
        except ObjectTooLarge:
            raise _too_large() from None

    waiting = iter(files)
    with ThreadPoolExecutor(READ_AT_ONCE) as threads:
        while some := list(islice(waiting, READ_AT_ONCE)):
            for file, data in zip(some, threads.map(read, some), strict=True):
                if data is not None:
                    write_entry(archive, file.name, file.at, data)
                    yield file, len(data)


def write_entry(
    archive: zipfile.ZipFile, name: str, at: tuple[int, int, int, int, int, int], data: bytes | str
) -> None:
    """Write one file into a ZIP file, readable by everybody where it is unpacked."""
    entry = zipfile.ZipInfo(name, at)
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, data)


def _too_large() -> TooLarge:
    return TooLarge(f"The pictures are more than {MAX_BYTES // 1_000_000} MB. Get them one by one, by their links.")
