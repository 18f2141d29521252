"""The state in which a test finds the database."""

from shared.core.db import Database
from shared.core.tables import metadata

_TABLES = [table.name for table in metadata.sorted_tables]
# TRUNCATE gives each table and index a new file, which costs ten times as much as deleting the few rows of a test; only
# a table that a test has filled is worth it. `replica` keeps triggers and foreign keys out of the way.
_EMPTY_THE_TABLES = f"""
SET LOCAL session_replication_role = replica;
DO $$ BEGIN
    IF (SELECT max(pg_table_size(name::regclass)) > 1000000 FROM unnest(ARRAY{_TABLES}) AS name) THEN
        TRUNCATE {", ".join(_TABLES)};
    ELSE
        {" ".join(f"DELETE FROM {table};" for table in _TABLES)}
    END IF;
    INSERT INTO queue_clock (id) VALUES (1);
END $$
"""


def empty_tables(db: Database) -> None:
    """Leave the tables as the migrations make them, without any user, job or generator."""
    with db.begin() as connection:
        connection.exec_driver_sql(_EMPTY_THE_TABLES)
