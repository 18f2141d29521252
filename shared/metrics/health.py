"""Health checks: whether jobs can be stored, moved and looked at now."""

from collections.abc import Callable

from sqlalchemy import text

from shared.core.db import DatabaseFault, is_outdated
from shared.core.errors import NotMigrated, Unavailable
from shared.services import Services

MISSING_SWEEP_S = 60.0
"""An age of the last sweep at which the poller no longer works. There should be one each second."""

# Before the first sweep, how long the first job has waited. NULL without jobs: a new site is up before its poller.
_SWEPT_S = text("""
    SELECT extract(epoch FROM clock_timestamp() - coalesce(
        swept_at, (SELECT created_at FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1)
    ))::float FROM queue_clock
""")

# As a worker renews its leases, but more rows than fit into one page: a full disk has room for a small change.
_CHANGE = "INSERT INTO leases (attempt_token, until) SELECT gen_random_uuid(), now() FROM generate_series(1, 200)"


def check(services: Services) -> dict[str, str]:
    """Return "ok" for each part that works, otherwise the error, without addresses or names.

    The poller is left out if the database, which knows its last sweep, does not work.
    """
    results = {"database": _result(_database, services)}
    if results["database"] == "ok":
        results["poller"] = _result(_poller, services)
    return results | {"storage": _result(_storage, services), "broker": _result(_broker, services)}


def _database(services: Services) -> None:
    services.db.check()
    with services.db.statement() as connection:
        if is_outdated(connection):
            raise NotMigrated
    services.db.check_writes(_CHANGE)


def _poller(services: Services) -> None:
    with services.db.statement() as connection:
        swept_s: float | None = connection.execute(_SWEPT_S).scalar()
    if swept_s is not None and swept_s > MISSING_SWEEP_S:
        raise Unavailable(f"The poller has not swept for {swept_s:.0f} s.")


def _storage(services: Services) -> None:
    services.storage.check()
    settings = services.settings
    # A role may be without this permission, as functions' roles on AWS are; a role's keys have a session token.
    if settings.s3_access_key is not None and settings.s3_session_token is None:
        services.storage.check_writes()


def _broker(services: Services) -> None:
    services.wake_ups.check()


def _result(probe: Callable[[Services], None], services: Services) -> str:
    try:
        probe(services)
    except Unavailable as error:
        return error.detail
    except DatabaseFault:
        return "The database does not have what Easel needs."
    return "ok"
