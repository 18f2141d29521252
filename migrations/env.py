"""Runs the migrations against EASEL_DATABASE_URL, each in its own transaction, one process at a time."""

import re

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from migrations.patience import limit_waits, run_patiently
from shared.core import session_settings
from shared.core.db import reason_of, take_tokens
from shared.core.errors import Unavailable
from shared.core.preconditions import find_problems
from shared.core.settings import Settings, SettingsError
from shared.core.tables import metadata

# Two processes that start together (two containers, say) must not both create the tables.
_LOCK = 0x6561_7365_6C


def _connect(settings: Settings) -> Connection:
    engine = create_engine(settings.database_url, client_encoding="utf8", poolclass=NullPool)
    if settings.database_auth is not None:
        take_tokens(engine, settings.database_auth)
    try:
        return engine.connect()
    except DBAPIError as error:
        raise CommandError(f"{reason_of(error.orig)} Check EASEL_DATABASE_URL.") from None
    except Unavailable as error:
        raise CommandError(error.detail) from None


def _is_absolute() -> bool:
    """Return whether the command names the revision to arrive at, not a number of steps from where it began."""
    return not re.search(r"[+-]\d+$", getattr(context.config.cmd_opts, "revision", None) or "")


try:
    settings = Settings.from_environment()
except SettingsError as error:
    raise CommandError(str(error)) from None
with _connect(settings) as connection:
    for problem in find_problems(connection):
        if problem.fatal:
            raise CommandError(f"The database of EASEL_DATABASE_URL cannot be used. {problem.sentences}")
    session_settings.lift_limits(connection)
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    limit_waits(connection)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    migration = context.get_context()
    began_at = migration.get_current_heads()
    run_patiently(
        connection,
        context.run_migrations,
        may_go_on=lambda: _is_absolute() or migration.get_current_heads() == began_at,
    )
    session_settings.give_limits_to_role(connection)
    connection.commit()
