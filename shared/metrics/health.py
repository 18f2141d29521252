"""Health checks of the services that Easel depends on."""

from collections.abc import Callable

from sqlalchemy import text

from shared.core.errors import Unavailable
from shared.services import Services


def check(services: Services) -> dict[str, str]:
    """Return "ok" for each service that answers, otherwise the error, without addresses or names."""
    return {part: _result(probe, services) for part, probe in _PROBES.items()}


def _database(services: Services) -> None:
    with services.db.statement() as connection:
        connection.execute(text("SELECT FROM queue_clock"))


def _storage(services: Services) -> None:
    services.storage.check()


def _broker(services: Services) -> None:
    services.wake_ups.check()


_PROBES: dict[str, Callable[[Services], None]] = {"database": _database, "storage": _storage, "broker": _broker}


def _result(probe: Callable[[Services], None], services: Services) -> str:
    try:
        probe(services)
    except Unavailable as error:
        return error.detail
    return "ok"
