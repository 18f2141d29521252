"""What Easel needs of a Postgres server and of the role's defaults, each with a sentence for who set it otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.core.tables import metadata

MIN_POSTGRES = 18
SHORT_MS = {
    "statement_timeout": 60_000,
    "transaction_timeout": 60_000,
    "lock_timeout": 1_000,
    "idle_in_transaction_session_timeout": 1_000,
}
"""Shorter limits would end collections on a large site, or what a busy machine does slowly."""

_QUERY = text("""
    SELECT current_setting('server_version_num')::int / 10000 AS version,
        current_setting('server_encoding') AS encoding,
        current_setting('transaction_read_only') = 'on' AS read_only, current_schema() AS schema,
        current_setting('synchronous_commit') AS synchronous_commit, current_user AS role,
        has_schema_privilege(current_schema(), 'CREATE') AS creates, to_regclass('jobs') IS NOT NULL AS has_tables
""")
_FOREIGN = text("""
    SELECT count(*) FROM unnest(CAST(:tables AS text[])) AS names (name), to_regclass(name) AS place
    WHERE place IS NOT NULL AND NOT (
        has_table_privilege(place, 'SELECT') AND has_table_privilege(place, 'INSERT')
        AND has_table_privilege(place, 'UPDATE') AND has_table_privilege(place, 'DELETE')
    )
""")
_TIMEOUTS = text("SELECT name, setting::int FROM pg_settings WHERE name = ANY(:names) ORDER BY name")


@dataclass(frozen=True, slots=True)
class Problem:
    """One or two sentences. With `fatal`, Easel cannot work there."""

    fatal: bool
    sentences: str


def find_problems(connection: Connection) -> Iterator[Problem]:
    """Yield what is wrong with the database of this connection.

    What a session can set for itself (`db.Database` does) is not asked: isolation, strings, the client's encoding.
    """
    found = connection.execute(_QUERY).one()
    if found.version < MIN_POSTGRES:
        words = f"It is PostgreSQL {found.version}; Easel needs {MIN_POSTGRES} or later. Upgrade the server."
        yield Problem(True, words)
    if found.encoding != "UTF8":
        yield Problem(
            True,
            f"Its encoding is {found.encoding}, which cannot hold every text. Create a database with ENCODING 'UTF8'"
            " and TEMPLATE template0, and copy the tables there.",
        )
    if found.read_only:
        yield Problem(
            True,
            "It accepts no changes. Connect to the primary, or reset default_transaction_read_only of the server, the"
            " database and the role.",
        )
    if found.schema is None:
        yield Problem(True, "No schema of its search_path exists. Reset search_path of the database and of the role.")
    elif not found.has_tables and not found.creates:
        yield Problem(
            True,
            f"The role {found.role} may not create tables in the schema {found.schema}, which only the database's owner"
            " may by default. Make it the owner, or GRANT CREATE ON SCHEMA.",
        )
    if connection.execute(_FOREIGN, {"tables": list(metadata.tables)}).scalar_one():
        yield Problem(
            True,
            f"The role {found.role} may not read and change all of Easel's tables. Connect as their owner, or"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA.",
        )
    for name, limit_ms in connection.execute(_TIMEOUTS, {"names": list(SHORT_MS)}):
        if not 0 < limit_ms < SHORT_MS[name]:
            continue
        yield Problem(
            False,
            f"{name} is {limit_ms} ms, which may end the work of the poller or a migration again and again. Reset it"
            " for Easel's role.",
        )
    if found.synchronous_commit == "off":
        yield Problem(False, "synchronous_commit is off: a crash of the server may lose jobs that were accepted.")
