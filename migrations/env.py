"""Runs the migrations against EASEL_DATABASE_URL, in one transaction, one process at a time."""

from alembic import context
from alembic.util import CommandError
from sqlalchemy import create_engine, text

from shared.core.db import take_tokens
from shared.core.preconditions import find_problems
from shared.core.settings import Settings
from shared.core.tables import metadata

# Two processes that start together (two containers, say) must not both create the tables.
_LOCK = 0x6561_7365_6C

settings = Settings.from_environment()
engine = create_engine(settings.database_url, client_encoding="utf8")
if settings.database_auth is not None:
    take_tokens(engine, settings.database_auth)
with engine.begin() as connection:
    for problem in find_problems(connection):
        if problem.fatal:
            raise CommandError(f"The database of EASEL_DATABASE_URL cannot be used. {problem.sentences}")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
    context.run_migrations()
engine.dispose()
