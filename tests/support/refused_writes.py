"""A database that refuses changes with a real SQLSTATE, as one whose disk is full does."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from shared.core.db import Database

_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused by the test' USING ERRCODE = TG_ARGV[0];
END $$
"""


@contextmanager
def refused_writes(db: Database, sqlstate: str, *changes: str) -> Iterator[None]:
    """Refuse these changes, each as `UPDATE ON jobs FOR EACH ROW WHEN (...)`, with this SQLSTATE inside the block."""
    with db.begin() as connection:
        connection.execute(text(_REFUSE))
        for number, change in enumerate(changes):
            trigger = f"CREATE TRIGGER refuse_change_{number} BEFORE {change}"
            connection.exec_driver_sql(f"{trigger} EXECUTE FUNCTION refuse_change('{sqlstate}')")
    try:
        yield
    finally:
        with db.begin() as connection:
            connection.execute(text("DROP FUNCTION refuse_change CASCADE"))
