"""The tables of scenes, beside the others in `shared.core.tables`."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, owner, when

places = Table(
    "places",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name_en", Text, nullable=False),
    Column("name_ru", Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
)

actions = Table(
    "actions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name_en", Text, nullable=False),
    Column("name_ru", Text, nullable=False),
    Column("description_en", Text, nullable=False),
    Column("description_ru", Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
)


def _pictures(name: str, of: str, among: str, *columns: Column[object]) -> Table:
    """Return a table of pictures in the storage, under `scenes/<id>/`.

    A picture never changes: another one gets another row, and the row before is retired, that is, belongs to nothing.
    It is deleted once no job refers to it. `among` is the column that tells the live ones of a place or an action
    apart, `digest` the SHA-256 of the imported files.
    """
    return Table(
        name,
        metadata,
        Column("id", UUID, primary_key=True, server_default=ROW_ID),
        Column(of, Text, ForeignKey(f"{of}s.key")),
        *columns,
        Column("digest", LargeBinary, nullable=False),
        Column("width", Integer, nullable=False),
        Column("height", Integer, nullable=False),
        when("created_at", nullable=False, server_default=NOW),
        when("retired_at"),
        Index(f"uq_{name}_live", of, among, unique=True, postgresql_where=text("retired_at IS NULL")),
        CheckConstraint(f"({of} IS NULL) = (retired_at IS NOT NULL)", name="retired"),
        Index(f"ix_{name}_retired_at", "retired_at", postgresql_where=text("retired_at IS NOT NULL")),
    )


place_pictures = _pictures(
    "place_pictures",
    "place",
    "index",
    Column("index", Integer, nullable=False),
    Column("description", Text, nullable=False),
)

# Of an action in a shot: the mannequin, where the person may be, and where the face is.
action_shots = _pictures(
    "action_shots",
    "action",
    "shot",
    Column("shot", Text, CheckConstraint("shot IN ('CLS', 'MES', 'FUS')", name="shot"), nullable=False),
)

# A trigger on `jobs` adds a row for each job with a scene. The code leads to the job's picture.
scenes = Table(
    "scenes",
    metadata,
    owner("jobs", primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("place_picture_id", UUID, ForeignKey("place_pictures.id"), nullable=False, index=True),
    Column("action_shot_id", UUID, ForeignKey("action_shots.id"), nullable=False, index=True),
)
