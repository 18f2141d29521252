"""The database connection; the only place that commits."""

import math
import re
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NoReturn

import psycopg2
from psycopg2 import extensions
from psycopg2.errors import ForeignKeyViolation, InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import Connection, Engine, TextClause, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, PendingRollbackError
from sqlalchemy.pool import ConnectionPoolEntry

from shared.core import deadline, session_settings
from shared.core.errors import NotFound, NotMigrated, Unavailable
from shared.core.revision import REVISION
from shared.core.turns import Turns

IDLE_PING_S = 5.0
TURN_LIMIT_S = 10.0
PING_LIMIT_S = 2.0
CONNECT_LIMIT_S = 5
WRITE_KEPT_S = 10.0
"""How long a change that was accepted proves that others are."""

# A peer that vanished without closing the connection is detected within about 20 s, instead of the kernel's 15 minutes
# or more. These are client-side options: RDS Proxy accepts no server options at the start of a session, and pins a
# session that sets one later.
_TCP = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 20_000}


_LOST = {"25006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P04", "57P05"}
"""SQLSTATEs, beside those of class 08, after which a connection is useless: the session has ended, or the server
accepts no changes (25006), as after a failover, when another one does."""

UNREACHABLE = "The database cannot be reached."
WRONG_ADDRESS = "The database's address has an option that cannot be used."
_REASONS = (
    (
        r"password authentication failed|no password supplied|role .* does not exist",
        "The database refuses the user or its password.",
    ),
    (r"database .* does not exist", "The database server has no database of this name."),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "The database does not let this user connect from here (pg_hba.conf).",
    ),
    (r"not permitted to log in|permission denied for database", "The database does not let this user connect."),
    (r"too many (clients|connections)|connection slots", "The database has no free connection."),
    (r"could not translate host name", "The database's host name is unknown."),
    (
        r"certificate|does not support SSL|SSL error:",
        "The database cannot be reached over an encrypted connection.",
    ),
    (r"statement timeout|lock timeout|transaction timeout", "The database reached a time limit."),
    (r"deadlock detected|could not serialize", "The database was busy with other changes."),
    (r"starting up|shutting down|recovery mode|not yet accepting", "The database is starting or stopping."),
    (r"^invalid |invalid dsn", WRONG_ADDRESS),
    (r"No space left on device|[Dd]isk full", "The database's disk is full."),
    (r"out of (shared )?memory", "The database has no memory left."),
)
"""What the texts of Postgres and libpq mean: before a session there is no SQLSTATE."""

_SERVER_FAILED = "The database has failed."
_CODES = {
    "40001": "The database was busy with other changes.",
    "40P01": "The database was busy with other changes.",
    "53100": "The database's disk is full.",
    "53200": "The database has no memory left.",
    "53300": "The database has no free connection.",
    "55P03": "The database reached a time limit.",
    "57014": "The database reached a time limit.",
    "57P03": "The database is starting or stopping.",
    "58030": "The database cannot use its disk.",
    "XX000": _SERVER_FAILED,  # as while a migration replaces what a statement has just looked up
    "XX001": _SERVER_FAILED,
    "XX002": _SERVER_FAILED,
}
"""What SQLSTATEs mean that say more than the texts, which may be in any language."""

_UNDEFINED = {"42P01", "42703", "42883"}
"""SQLSTATEs for a table, a column or a function that does not exist: a mistake, or migrations have not run."""

NO_CREDENTIALS = "There are no AWS credentials to connect to the database with."
FORBIDDEN = "The database does not let Easel use its tables."
READ_ONLY = "The database accepts no changes: it is a standby, or was set to be read-only."


class DatabaseFault(Exception):
    """The database refused a statement because of a mistake in the code or the database's schema, not in a request."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        """The SQLSTATE."""


class Database:
    """A pool of connections to Postgres.

    Connects at the first use. A connection that was idle for 5 s (a frozen Lambda, a restarted server) is pinged before
    it is used; a busy one is not, which saves one round trip per request. With `iam_region`, each new connection uses a
    fresh AWS IAM token of that region as its password.
    """

    def __init__(self, url: str, *, pool_size: int, iam_region: str | None = None) -> None:
        self._pool_size = pool_size
        self._turns = Turns(pool_size)
        self._accepted_at = -math.inf
        self._engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            client_encoding="utf8",
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,  # a logged error must not contain prompts
            connect_args={"connect_timeout": CONNECT_LIMIT_S, "application_name": "easel", **_TCP},
        )
        if iam_region is not None:
            take_tokens(self._engine, iam_region)
        event.listen(self._engine, "connect", _prepare_session)
        event.listen(self._engine, "checkout", _ping_if_idle)
        event.listen(self._engine, "checkin", _take_back)
        event.listen(self._engine, "handle_error", _drop_if_lost)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction: committed at the end of the block, rolled back on any exception.

        Raises:
            Unavailable: The database cannot be reached, gave up (a deadlock, a shutdown), or has older tables.
            NotFound: A row that the block refers to has just been deleted.
            DatabaseFault: The database refused a statement for another reason.
        """
        with self._connection() as connection, connection.begin():
            # Without SQLAlchemy's isolation levels, for which psycopg2 would send a SET before each BEGIN.
            connection.connection.driver_connection.autocommit = False  # type: ignore[union-attr]
            yield connection

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Open a connection on which each statement is a separate transaction: one round trip instead of three.

        Raises:
            Unavailable: The database cannot be reached, gave up, or has older tables.
            NotFound: A row that the statement refers to has just been deleted.
            DatabaseFault: The database refused a statement for another reason.
        """
        with self._connection() as connection:
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._turns.turn(TURN_LIMIT_S, "Too many requests at once."):
            try:
                with _translated(), self._engine.connect() as connection:
                    yield connection
            except DatabaseFault as error:
                if error.code in _UNDEFINED:
                    with _translated(), self._engine.connect() as connection:
                        if is_outdated(connection):
                            raise NotMigrated from error
                raise

    def check(self) -> None:
        """Check that the database accepts changes. If not, the next use connects again, perhaps to another server.

        Raises:
            Unavailable: It does not, or cannot be reached.
        """
        with self.statement() as connection:
            read_only = connection.exec_driver_sql("SELECT current_setting('transaction_read_only') = 'on'").scalar()
        if read_only:
            self.close()
            raise Unavailable(READ_ONLY)

    def check_writes(self, change: str) -> None:
        """Check that this change could be made, unless it could within the last 10 s; it is taken back.

        Raises:
            Unavailable: It cannot: the disk is full, for example.
        """
        if time.monotonic() - self._accepted_at < WRITE_KEPT_S:
            return
        with self.begin() as connection:
            connection.exec_driver_sql(change)
            connection.get_transaction().rollback()  # type: ignore[union-attr]
        self._accepted_at = time.monotonic()

    def close(self) -> None:
        """Close every connection; a forked process calls this before it uses its copy."""
        self._engine.dispose()

    def forget(self) -> None:
        """Drop the connections of a parent process without closing them: they are still the parent's."""
        self._engine.dispose(close=False)
        self._turns = Turns(self._pool_size)


def execute_last(connection: Connection, statement: TextClause, values: Mapping[str, object]) -> None:
    """Execute a statement right before the connection's transaction is committed, or now if it is in none.

    So what it locks is locked after everything else.
    """
    if connection.connection.driver_connection.autocommit:  # type: ignore[union-attr]
        connection.execute(statement, values)
    else:
        event.listen(connection, "commit", lambda ending: ending.execute(statement, values))


def is_outdated(connection: Connection) -> bool:
    """Return whether the tables are older than this version. Raises DBAPIError.

    Later tables are not: while a new version is rolled out, the old one goes on.
    """
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None:
        return True
    revision = connection.exec_driver_sql("SELECT max(version_num) FROM alembic_version").scalar()
    return revision is None or revision < REVISION


def fetch(connection: Connection, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Execute a statement with psycopg2's `%(name)s` parameters, and return its rows.

    For the API's most frequent statements: SQLAlchemy would take as long to describe the result as Postgres to find it.

    Raises:
        DBAPIError: As from `connection.execute`.
    """
    proxied = connection.connection
    try:
        with closing(proxied.cursor()) as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())
    except psycopg2.Error as error:
        lost = _is_lost(error) or bool(proxied.dbapi_connection is None or proxied.dbapi_connection.closed)
        if lost:
            connection.invalidate(error)
            connection.engine.dispose()  # as SQLAlchemy does: the others have probably met the same end
        raise DBAPIError.instance(
            query, None, error, psycopg2.Error, hide_parameters=True, connection_invalidated=lost
        ) from error


@contextmanager
def waiting_at_most(limit_s: float) -> Iterator[None]:
    """Limit every wait for the database or the storage inside the block to `limit_s` seconds from its start.

    For processes that do one thing at a time: the limit is global. A statement that is cut off closes its connection;
    whether the server had already executed it is unknown, as with any lost answer.

    Raises:
        Unavailable: A wait reached the limit.
    """
    with deadline.ending_in(limit_s):
        extensions.set_wait_callback(_wait)
        try:
            yield
        finally:
            extensions.set_wait_callback(None)


def take_tokens(engine: Engine, region: str) -> None:
    """Make each new connection of the engine use a fresh AWS IAM token as its password."""

    @event.listens_for(engine, "do_connect")
    def give_token(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = _iam_token(
            parameters["host"], int(parameters.get("port", 5432)), parameters["user"], region
        )


def _iam_token(host: str, port: int, user: str, region: str) -> str:
    """Return the token that boto3's `generate_db_auth_token` makes, without boto3's client, which takes 0.2 s to load.

    A connection must be opened within 15 minutes, and may then outlive the token.

    Raises:
        Unavailable: There are no AWS credentials, or they cannot be fetched.
    """
    from botocore.auth import SigV4QueryAuth  # only needed with EASEL_DATABASE_AUTH=iam
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        credentials = Session().get_credentials()
        frozen = credentials and credentials.get_frozen_credentials()
    except BotoCoreError as error:
        raise Unavailable(NO_CREDENTIALS) from error
    if frozen is None:
        raise Unavailable(NO_CREDENTIALS)
    request = AWSRequest("GET", f"https://{host}:{port}/", params={"Action": "connect", "DBUser": user})
    SigV4QueryAuth(frozen, "rds-db", region, expires=900).add_auth(request)
    return str(request.url).removeprefix("https://")


_asked: set[int] = set()
"""The connections (by `id`) that are being pinged."""


def _wait(connection: extensions.connection) -> None:
    """Wait for the server until the deadline (psycopg2's wait callback). Connecting and pinging have shorter limits."""
    until = deadline.ends_at()
    if connection.status == extensions.STATUS_SETUP:
        until = min(until, time.monotonic() + CONNECT_LIMIT_S)
    elif id(connection) in _asked:
        until = min(until, time.monotonic() + PING_LIMIT_S)
    poll = select.poll()
    while (state := connection.poll()) != extensions.POLL_OK:
        poll.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left_s = until - time.monotonic()
        if left_s <= 0 or not poll.poll(math.ceil(left_s * 1000)):
            raise psycopg2.OperationalError("the database did not answer in time")
        poll.unregister(connection.fileno())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PendingRollbackError as error:  # the block went on after an error that had ended its connection
        raise Unavailable(UNREACHABLE) from error
    except DBAPIError as error:
        _refuse(error.orig, lost=error.connection_invalidated)
    except psycopg2.Error as error:  # between the statements, where SQLAlchemy does not wrap it
        _refuse(error, lost=True)


def _refuse(error: BaseException | None, *, lost: bool) -> NoReturn:
    if isinstance(error, ReadOnlySqlTransaction):
        raise Unavailable(READ_ONLY) from error
    if lost or isinstance(error, psycopg2.OperationalError) or getattr(error, "pgcode", None) in _CODES:
        raise Unavailable(reason_of(error)) from error
    if isinstance(error, psycopg2.ProgrammingError) and error.pgcode is None:  # libpq's, before it connects
        raise Unavailable(WRONG_ADDRESS) from error
    if isinstance(error, InsufficientPrivilege):
        raise Unavailable(FORBIDDEN) from error
    if isinstance(error, ForeignKeyViolation):
        # A user, a job or an upload was deleted between the read and the write.
        raise NotFound("What this refers to was deleted in the meantime.") from None
    # Log nothing of the server's DETAIL: it quotes whole rows, which contain prompts.
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    raise DatabaseFault(f"{type(error).__name__}: {primary}", getattr(error, "pgcode", None)) from None


def reason_of(error: BaseException | None) -> str:
    """Return what is wrong, without the error's text, which names hosts and users."""
    if (reason := _CODES.get(getattr(error, "pgcode", None) or "")) is not None:
        return reason
    words = str(error)
    return next((reason for pattern, reason in _REASONS if re.search(pattern, words)), UNREACHABLE)


def _is_lost(error: BaseException) -> bool:
    code = getattr(error, "pgcode", None) or ""
    # libpq may see that it cannot send before it sees the end of the session: psycopg2 has no class for that.
    return code in _LOST or code.startswith("08") or (type(error) is psycopg2.DatabaseError and not code)


def _drop_if_lost(context: ExceptionContext) -> None:
    """Make SQLAlchemy replace the connections of the pool."""
    if _is_lost(context.original_exception):
        context.is_disconnect = True


def _prepare_session(connection: extensions.connection, _record: ConnectionPoolEntry) -> None:
    session_settings.prepare(connection)


def _take_back(connection: extensions.connection | None, record: ConnectionPoolEntry) -> None:
    if connection is not None:
        connection.autocommit = True
    record.info["used_at"] = time.time()


def _ping_if_idle(connection: extensions.connection, record: ConnectionPoolEntry, _proxy: object) -> None:
    used_at = record.info.get("used_at")
    # Use the wall clock: the monotonic one may stop while Lambda keeps a process frozen.
    if used_at is None or abs(time.time() - used_at) < IDLE_PING_S:
        return
    _asked.add(id(connection))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone() == (True,):
                raise DisconnectionError  # after a failover the address leads to another server
    except psycopg2.Error as error:
        raise DisconnectionError from error
    finally:
        _asked.discard(id(connection))
