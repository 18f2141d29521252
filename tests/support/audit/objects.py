"""Promises between rows and stored objects: each row has its object, and each object a row, a claim or the garbage."""

import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from PIL import Image
from sqlalchemy import Connection, Row, text

from shared.clients.storage import ObjectMissing, Storage
from shared.images.recipe import read_recipe
from shared.polling.garbage import FOLDERS
from shared.services import Services
from tests.support.audit.ledger import Ledger

MOST_BYTES = 200_000_000
PROBES = "conformance/"
"""What is written here only shows that the storage works; the bucket's own rules delete it."""

_OBJECTS = """
SELECT key, size_bytes FROM images
UNION ALL SELECT thumbnail_key, NULL FROM images
UNION ALL SELECT timelapse_key, NULL FROM images WHERE timelapse_key IS NOT NULL
UNION ALL SELECT adapter_key, NULL FROM likenesses WHERE adapter_key IS NOT NULL
UNION ALL SELECT key, size_bytes FROM export_files
UNION ALL SELECT u.key, u.size_bytes FROM uploads u JOIN job_sources s ON s.upload_key = u.key
"""
# Objects of a running claim, and prefixes; those of a job's pictures have rows.
_PREFIXES = """
SELECT prefix FROM garbage
UNION ALL SELECT 'jobs/' || id || '/' || attempt_token || '/' FROM jobs WHERE attempt_token IS NOT NULL
UNION ALL SELECT 'jobs/' || id || '/preview/' || attempt_token || '.' FROM jobs WHERE attempt_token IS NOT NULL
UNION ALL SELECT 'jobs/' || id || '/preview/' FROM jobs WHERE preview_key IS NOT NULL
UNION ALL SELECT key FROM uploads
UNION ALL SELECT 'scenes/' || id || '/' FROM place_pictures
UNION ALL SELECT 'scenes/' || id || '/' FROM action_shots
"""
_PICTURES = text("""
SELECT i.job_id, i.index AS number, i.key, i.thumbnail_key, i.width, i.height, i.seed
FROM images i ORDER BY i.job_id, i.index
""")
_ADAPTERS = text("SELECT adapter_key, adapter_sha256 FROM likenesses WHERE adapter_key IS NOT NULL")


@dataclass(frozen=True)
class Named:
    """What the rows name: objects with their sizes, prefixes, and what pictures and adapters must contain."""

    sizes: dict[str, int | None]
    prefixes: frozenset[str]
    pictures: list[Row[Any]]
    adapters: dict[str, str]

    def covers(self, key: str) -> bool:
        """Return whether a row, a claim or the garbage names this object."""
        # A prefix ends anywhere, so every beginning of the key is looked up.
        return key in self.sizes or any(key[:end] in self.prefixes for end in range(len(key), 0, -1))


def list_all(storage: Storage) -> dict[str, int]:
    """Return the size of every object that is Easel's, by key."""
    return {key: size for folder in FOLDERS if folder != PROBES for key, size in storage.sizes_bytes(folder).items()}


def read_named(connection: Connection) -> Named:
    """Return what the rows of the connection's snapshot name."""
    return Named(
        {row.key: row.size_bytes for row in connection.execute(text(_OBJECTS))},
        frozenset(connection.execute(text(_PREFIXES)).scalars()),
        list(connection.execute(_PICTURES)),
        {row.adapter_key: row.adapter_sha256 for row in connection.execute(_ADAPTERS)},
    )


def find_violations(services: Services, listed: dict[str, int], named: Named) -> list[str]:
    """Return objects that are missing, have another size, or that nothing names; listed: from before the snapshot."""
    found = []
    for key, size in named.sizes.items():
        there = listed.get(key)
        if there is None:
            there = services.storage.sizes_bytes(key).get(key)
        if there is None and _still_names(services, key):
            found.append(f"every row has its object: {key} is missing")
        elif there is not None and size is not None and there != size:
            found.append(f"every object has the size in its row: {key} has {there} bytes instead of {size}")
    orphans = [key for key in listed if not named.covers(key)]
    if orphans:
        found += [
            f"every object is named by a row, a claim or the garbage: {key} is not"
            for key in _confirm_orphans(services, orphans)
        ]
    return found


def _still_names(services: Services, key: str) -> bool:
    with services.db.begin() as connection:
        return key in read_named(connection).sizes


def _confirm_orphans(services: Services, keys: Collection[str]) -> list[str]:
    """Return those of these objects that are still there and that still nothing names."""
    with services.db.begin() as connection:
        named = read_named(connection)
    return [key for key in keys if not named.covers(key) and key in services.storage.sizes_bytes(key)]


def find_wrong_contents(services: Services, named: Named, ledger: Ledger | None) -> list[str]:
    """Return pictures and adapters that are not what their rows, their recipes and earlier readers say."""
    found = []
    for row in named.pictures:
        fault = _find_fault(services.storage, row, ledger.digests if ledger else {})
        if fault and _still_names(services, row.key):
            found.append(f"a stored picture is the one of its row: {row.key} {fault}")
    for key, digest in named.adapters.items():
        data = _read(services.storage, key)
        if data is not None and hashlib.sha256(data).hexdigest() != digest:
            found.append(f"a stored adapter is the one of its row: {key} has another SHA-256")
    return found


def _find_fault(storage: Storage, row: Row[Any], digests: dict[str, str]) -> str | None:
    data, thumbnail = _read(storage, row.key), _read(storage, row.thumbnail_key)
    if data is None or thumbnail is None:
        return None  # reported by its size
    digest = hashlib.sha256(data).hexdigest()
    if digests.get(row.key, digest) != digest:
        return "has another SHA-256 than a reader has found"
    recipe = read_recipe(data) or {}
    if (recipe.get("job_id"), recipe.get("index"), recipe.get("seed")) != (str(row.job_id), row.number, row.seed):
        return f"has the recipe of {recipe.get('job_id')}, number {recipe.get('index')}, seed {recipe.get('seed')}"
    for name, content, size in (("picture", data, (row.width, row.height)), ("thumbnail", thumbnail, None)):
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.load()
        except OSError as error:
            return f"has a {name} that cannot be decoded: {error}"
        if size is not None and image.size != size:
            return f"has {image.size} pixels instead of {size}"
    return None


def _read(storage: Storage, key: str) -> bytes | None:
    try:
        return storage.get(key, MOST_BYTES)
    except ObjectMissing:
        return None


def remember(storage: Storage, ledger: Ledger, key: str) -> None:
    """Read an object as a client would, and note its SHA-256: it must never be another one."""
    ledger.digests[key] = hashlib.sha256(storage.get(key, MOST_BYTES)).hexdigest()
