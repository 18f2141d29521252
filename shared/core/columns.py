"""What the columns of all tables share: naming of constraints, defaults, and two kinds of columns."""

from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, text
from sqlalchemy.dialects.postgresql import UUID

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
"""The description of the database; importing `shared.core.tables` completes it."""

ROW_ID = text("uuidv7()")
NOW = text("clock_timestamp()")
# 244 random bits, written as Postgres shows it: alembic compares volatile defaults only as text.
SECRET = text(
    "decode(replace(((gen_random_uuid())::text || (gen_random_uuid())::text), '-'::text, ''::text), 'hex'::text)"
)


def when(name: str, **options: object) -> Column[object]:
    """Return a column for a time."""
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


def owner(table: str, **options: object) -> Column[object]:
    """Return a column for the row of another table to which a row belongs and with which it is deleted."""
    name = f"{table.removesuffix('s')}_id"
    return Column(name, UUID, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, **options)  # type: ignore[arg-type]


def outbox() -> tuple[Column[int], Column[object], Column[object]]:
    """Return the columns of a message to be sent. `due_at` is also the lease of a claim, which postpones it."""
    return (
        Column("attempts", Integer, nullable=False, server_default="0"),
        when("due_at", nullable=False, server_default=NOW, index=True),
        when("created_at", nullable=False, server_default=NOW, index=True),
    )
