"""The one function that checks every promise."""

from uuid import UUID

from sqlalchemy import text

from shared.services import Services
from tests.support.audit import ledger as ledgers
from tests.support.audit import objects, rows, timelines
from tests.support.audit.ledger import Ledger

_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
# The limits of the role keep frozen processes from holding locks. This transaction reads whole tables, and Python
# works between its statements.
_UNLIMITED = text("""
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')
""")


def audit(
    services: Services,
    ledger: Ledger | None = None,
    *,
    settled: bool = False,
    contents: bool = True,
    job_ids: list[UUID] | None = None,
) -> list[str]:
    """Return every violation of a promise, in words.

    ledger: what clients were told. settled: everything has ended, was sent and was collected, or should have been.
    contents: read every object too, not only its size. job_ids: look at the timelines of these jobs only.
    """
    listed = objects.list_all(services.storage)
    with services.db.begin() as connection:
        connection.execute(_SNAPSHOT)
        connection.execute(_UNLIMITED)
        found = rows.find_violations(connection, settled=settled)
        found += timelines.find_violations(connection, job_ids)
        if ledger is not None:
            found += ledgers.find_violations(connection, ledger, settled=settled)
        named = objects.read_named(connection)
    found += objects.find_violations(services, listed, named)
    if contents:
        found += objects.find_wrong_contents(services, named, ledger)
    return found
