"""What Easel needs of a Postgres server and of the role's defaults, each with a sentence for who set it otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

MIN_POSTGRES = 18
SHORT_TIMEOUT_MS = 60_000
"""A shorter limit of a statement would end collections and migrations on a large site."""

_QUERY = text("""
    SELECT current_setting('server_version_num')::int / 10000 AS version,
        current_setting('server_encoding') AS encoding,
        current_setting('transaction_read_only') = 'on' AS read_only, current_schema() AS schema,
        current_setting('synchronous_commit') AS synchronous_commit
""")
_TIMEOUTS = text("""
    SELECT name, setting::int AS limit_ms FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout') AND setting::int BETWEEN 1 AND :short
    ORDER BY name
""")


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
    for name, limit_ms in connection.execute(_TIMEOUTS, {"short": SHORT_TIMEOUT_MS}):
        yield Problem(
            False,
            f"{name} is {limit_ms} ms, which may end the work of the poller or a migration again and again. Reset it"
            " for Easel's role.",
        )
    if found.synchronous_commit == "off":
        yield Problem(False, "synchronous_commit is off: a crash of the server may lose jobs that were accepted.")
