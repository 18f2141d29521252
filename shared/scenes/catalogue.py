"""Changing the catalogue of scenes: importing a folder, removing an entry, deleting pictures that nothing needs.

This is the only writer of its tables. A picture's objects are stored before the row that refers to them is written, and
become garbage with the deletion of that row.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from shared.clients.storage import Storage
from shared.core.errors import NotFound
from shared.scenes import pictures, store
from shared.scenes.folder import MAX_ACTIONS, MAX_PLACES, Files, Folder, FolderError, FoundAction, FoundPlace
from shared.scenes.store import Action, Place, Size
from shared.services import Services

Kind = Literal["place", "action"]

RETIRED_KEPT_S = 3600
_CONTENT_TYPES = {"png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Imported:
    """How many places and actions were added, changed and left as they were."""

    added: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class _New:
    """A picture to be stored under a new id: which of the place's or action's it is, and a place's description."""

    id: UUID
    among: int | str
    files: Files
    description: str | None = None


def import_folder(services: Services, folder: Folder) -> Imported:
    """Bring the catalogue to what a folder says about its places and actions; others are left as they are.

    A picture that is there already is not stored again. The objects are stored one by one before the transaction that
    shows all of them, so a failure in between changes nothing that is seen.

    Raises:
        FolderError: The catalogue has pictures of another size, or would have too many entries.
        Unavailable: The storage or the database fails.
    """
    with services.db.statement() as connection:
        known_places = {place.key: place for place in store.list_places(connection)}
        known_actions = {action.key: action for action in store.list_actions(connection)}
        ids = _make_ids(connection, folder)
    fresh: dict[tuple[Kind, str], list[_New]] = {}
    for place in folder.places:
        fresh["place", place.key] = list(_new_pictures(place, known_places.get(place.key), ids))
    for action in folder.actions:
        fresh["action", action.key] = list(_new_shots(action, known_actions.get(action.key), ids))
    _check(folder, known_places, known_actions)
    for news in fresh.values():
        for new in news:
            _store(services.storage, new)
    counts = {"added": 0, "changed": 0, "same": 0}
    with services.db.begin() as connection:
        # Readers do not wait; a second import does, and writes over what the first has written.
        connection.execute(text("LOCK TABLE places, actions, place_pictures, action_shots IN SHARE ROW EXCLUSIVE MODE"))
        for place in folder.places:
            counts[_write_place(connection, place, fresh["place", place.key])] += 1
        for action in folder.actions:
            counts[_write_action(connection, action, fresh["action", action.key])] += 1
        _check_complete(connection, folder)
    return Imported(**counts)


def remove(services: Services, kind: Kind, key: str) -> None:
    """Remove a place or an action. Jobs that have it are still made. Raises NotFound."""
    with services.db.begin() as connection:
        _retire(connection, kind, key, None)
        removed = connection.execute(text(f"DELETE FROM {kind}s WHERE key = :key"), {"key": key})
        if not removed.rowcount:
            raise NotFound


def _check(folder: Folder, places: dict[str, Place], actions: dict[str, Action]) -> None:
    """Check what the catalogue will be. Raises FolderError."""
    new_places, new_actions = {one.key for one in folder.places}, {one.key for one in folder.actions}
    for most, keys, what in (
        (MAX_PLACES, places.keys() | new_places, "places"),
        (MAX_ACTIONS, actions.keys() | new_actions, "actions"),
    ):
        if len(keys) > most:
            raise FolderError(f"The catalogue would have {len(keys)} {what}; it may have {most}.")
    kept: dict[str, Size] = {key: one.pictures[0].size for key, one in places.items() if key not in new_places}
    kept |= {key: one.shots[0].size for key, one in actions.items() if key not in new_actions}
    other = next((key for key, size in kept.items() if size != folder.size), None)
    if other is not None:
        raise FolderError(
            f"The catalogue has {other} with {kept[other][0]}x{kept[other][1]} pixels, and the folder's pictures have"
            f" {folder.size[0]}x{folder.size[1]}: all need the same size."
        )


def _check_complete(connection: Connection, folder: Folder) -> None:
    """Check that all pictures of the folder are there: another process may just have taken some. Raises FolderError."""
    places = {place.key: len(place.pictures) for place in store.list_places(connection)}
    actions = {action.key: len(action.shots) for action in store.list_actions(connection)}
    wanted = {place.key: len(place.pictures) for place in folder.places}
    if wanted.items() - places.items() or {one.key: len(one.shots) for one in folder.actions}.items() - actions.items():
        raise FolderError("The catalogue was changed meanwhile; import the folder again.")


def _make_ids(connection: Connection, folder: Folder) -> Iterator[UUID]:
    """Return as many ids as the folder may need: objects are stored under them before there are rows."""
    count = sum(len(one.pictures) for one in folder.places) + sum(len(one.shots) for one in folder.actions)
    query = text("SELECT uuidv7() FROM generate_series(1, :count)")
    return iter(connection.execute(query, {"count": count}).scalars().all())


def _new_pictures(place: FoundPlace, known: Place | None, ids: Iterator[UUID]) -> Iterator[_New]:
    there = {(one.index, one.description, one.digest) for one in known.pictures} if known else set()
    for one in place.pictures:
        if (one.index, one.description, one.files.digest) not in there:
            yield _New(next(ids), one.index, one.files, one.description)


def _new_shots(action: FoundAction, known: Action | None, ids: Iterator[UUID]) -> Iterator[_New]:
    there = {(one.shot, one.digest) for one in known.shots} if known else set()
    for shot, files in action.shots.items():
        if (shot, files.digest) not in there:
            yield _New(next(ids), shot, files)


def _store(storage: Storage, new: _New) -> None:
    for name, data in new.files.objects.items():
        storage.put(pictures.prefix(new.id) + name, data, _CONTENT_TYPES[name.rpartition(".")[2]])


def _write_place(connection: Connection, place: FoundPlace, news: list[_New]) -> str:
    words = {"key": place.key, "name_en": place.names.en, "name_ru": place.names.ru}
    outcome = _write_words(connection, "place", words)
    lost = _retire(connection, "place", place.key, [new.among for new in news], least_gone=len(place.pictures))
    query = text("""
        INSERT INTO place_pictures (id, place, index, description, digest, width, height)
        VALUES (:id, :key, :among, :description, :digest, :width, :height)
    """)
    return _write_pictures(connection, query, place.key, news, outcome, lost)


def _write_action(connection: Connection, action: FoundAction, news: list[_New]) -> str:
    words = {"key": action.key, "name_en": action.names.en, "name_ru": action.names.ru}
    words |= {"description_en": action.descriptions.en, "description_ru": action.descriptions.ru}
    outcome = _write_words(connection, "action", words)
    lost = _retire(connection, "action", action.key, [new.among for new in news])
    query = text("""
        INSERT INTO action_shots (id, action, shot, digest, width, height)
        VALUES (:id, :key, :among, :digest, :width, :height)
    """)
    return _write_pictures(connection, query, action.key, news, outcome, lost)


def _write_words(connection: Connection, kind: Kind, words: dict[str, str]) -> str:
    """Write the words of an entry; return what that did."""
    names = [name for name in words if name != "key"]
    query = text(f"""
        INSERT INTO {kind}s ({", ".join(words)}) VALUES ({", ".join(f":{name}" for name in words)})
        ON CONFLICT (key) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in names)}
        WHERE {" OR ".join(f"{kind}s.{name} <> excluded.{name}" for name in names)}
        RETURNING old.key IS NULL
    """)
    is_new = connection.execute(query, words).scalar_one_or_none()
    return "same" if is_new is None else "added" if is_new else "changed"


def _retire(
    connection: Connection, kind: Kind, key: str, among: list[int | str] | None, *, least_gone: int | None = None
) -> int:
    """Take pictures from an entry: those of these indexes or shots, with None all; return how many.

    least_gone: pictures of a place from this index on are taken, too.
    """
    table, column, type_ = _TABLES[kind]
    gone = "" if least_gone is None else "OR index >= :least_gone"
    query = text(f"""
        UPDATE {table} SET {kind} = NULL, retired_at = clock_timestamp()
        WHERE {kind} = :key AND (:is_all OR {column} = ANY(CAST(:among AS {type_}[])) {gone})
    """)
    values = {"key": key, "is_all": among is None, "among": among or [], "least_gone": least_gone}
    return connection.execute(query, values).rowcount


_TABLES = {"place": ("place_pictures", "index", "integer"), "action": ("action_shots", "shot", "text")}
"""For each kind the table of its pictures, and the column that tells those of one entry apart, with its type."""


def _write_pictures(
    connection: Connection, query: TextClause, key: str, news: list[_New], outcome: str, lost: int
) -> str:
    for new in news:
        width, height = new.files.size
        values = {"id": new.id, "key": key, "among": new.among, "digest": new.files.digest}
        values |= {"width": width, "height": height}
        connection.execute(query, values if new.description is None else values | {"description": new.description})
    return "changed" if outcome == "same" and (news or lost) else outcome


def drop_retired(connection: Connection) -> int:
    """Delete retired pictures that no job has, and make their objects garbage; return how many.

    They are left for an hour: a submit may have chosen one just before.
    """
    return sum(_drop_retired(connection, kind) for kind in _TABLES)


def count_retired(connection: Connection) -> int:
    """Return how many pictures `drop_retired` would delete now."""
    counts = " + ".join(f"(SELECT count(*) FROM {_dropped(kind)})" for kind in _TABLES)
    return int(connection.execute(text(f"SELECT {counts}"), {"kept_s": RETIRED_KEPT_S}).scalar_one())


def _dropped(kind: str) -> str:
    """Return the SQL for the retired pictures of a kind that are deleted: the table `p` with its condition."""
    reference = "place_picture_id" if kind == "place" else "action_shot_id"
    return f"""{_TABLES[kind][0]} p WHERE retired_at < clock_timestamp() - make_interval(secs => :kept_s)
        AND NOT EXISTS (SELECT FROM scenes s WHERE s.{reference} = p.id)"""


def _drop_retired(connection: Connection, kind: str) -> int:
    query = text(f"""
        WITH dropped AS (
            DELETE FROM {_dropped(kind)} RETURNING id
        ), thrown AS (
            INSERT INTO garbage (prefix) SELECT 'scenes/' || id || '/' FROM dropped ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM dropped
    """)
    return int(connection.execute(query, {"kept_s": RETIRED_KEPT_S}).scalar_one())


def list_known_ids(connection: Connection, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these ids under which a picture is stored that is not deleted."""
    query = text("""
        SELECT id FROM place_pictures WHERE id = ANY(:ids) UNION ALL SELECT id FROM action_shots WHERE id = ANY(:ids)
    """)
    return frozenset(connection.execute(query, {"ids": list(ids)}).scalars())
