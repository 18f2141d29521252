"""The catalogue of scenes in the database, as it is read. Functions over a connection."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, text

from shared.api.scene_schemas import Shot
from shared.jobs.states import State

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Names:
    """A word or a text in both languages."""

    en: str
    ru: str


@dataclass(frozen=True, slots=True)
class PlacePicture:
    """A picture of a place. `description` is English, for prompts."""

    id: UUID
    index: int
    description: str
    size: Size
    digest: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A place with its pictures, in their order; there is at least one."""

    key: str
    names: Names
    pictures: tuple[PlacePicture, ...]


@dataclass(frozen=True, slots=True)
class ActionShot:
    """The pictures of an action in one shot."""

    id: UUID
    shot: Shot
    size: Size
    digest: bytes


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its shots, of which all three are there."""

    key: str
    names: Names
    descriptions: Names
    shots: tuple[ActionShot, ...]

    def shot(self, shot: Shot) -> ActionShot:
        """Return the pictures of one shot."""
        return next(one for one in self.shots if one.shot == shot)


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """What a code leads to: the job's first picture, with None for both while there is none."""

    state: State
    key: str | None
    thumbnail_key: str | None


_PLACES = text("""
    SELECT o.key, o.name_en, o.name_ru, p.id, p.index AS number, p.description, p.width, p.height, p.digest
    FROM places o JOIN place_pictures p ON p.place = o.key AND p.retired_at IS NULL
    WHERE CAST(:key AS text) IS NULL OR o.key = :key ORDER BY o.key, p.index
""")
_ACTIONS = text("""
    SELECT o.key, o.name_en, o.name_ru, o.description_en, o.description_ru, p.id, p.shot, p.width, p.height, p.digest
    FROM actions o JOIN action_shots p ON p.action = o.key AND p.retired_at IS NULL
    WHERE CAST(:key AS text) IS NULL OR o.key = :key ORDER BY o.key, array_position(ARRAY['CLS', 'MES', 'FUS'], p.shot)
""")


def list_places(connection: Connection, key: str | None = None) -> list[Place]:
    """Return all places, or the one with this key, in order of their keys."""
    found: dict[str, Place] = {}
    for row in connection.execute(_PLACES, {"key": key}):
        picture = PlacePicture(row.id, row.number, row.description, (row.width, row.height), bytes(row.digest))
        before = found[row.key].pictures if row.key in found else ()
        found[row.key] = Place(row.key, Names(row.name_en, row.name_ru), (*before, picture))
    return list(found.values())


def list_actions(connection: Connection, key: str | None = None) -> list[Action]:
    """Return all actions, or the one with this key, in order of their keys."""
    found: dict[str, Action] = {}
    for row in connection.execute(_ACTIONS, {"key": key}):
        shot = ActionShot(row.id, row.shot, (row.width, row.height), bytes(row.digest))
        before = found[row.key].shots if row.key in found else ()
        descriptions = Names(row.description_en, row.description_ru)
        found[row.key] = Action(row.key, Names(row.name_en, row.name_ru), descriptions, (*before, shot))
    return list(found.values())


def find_coded(connection: Connection, code: str) -> CodedPicture | None:
    """Return what a code leads to; None for an unknown one, and after an operator has taken the job down."""
    query = text("""
        SELECT j.state, i.key, i.thumbnail_key FROM scenes s JOIN jobs j ON j.id = s.job_id AND j.taken_down_at IS NULL
        LEFT JOIN images i ON i.job_id = j.id AND i.index = 0
        WHERE s.code = :code
    """)
    row = connection.execute(query, {"code": code}).one_or_none()
    return CodedPicture(State(row.state), row.key, row.thumbnail_key) if row else None
