"""Asking the parts that Easel stands on whether they answer."""

from sqlalchemy import text

from shared.core.errors import Unavailable
from shared.services import Services


def check(services: Services) -> dict[str, str]:
    """ "ok" for each part that answers, else what is wrong in a few words; nothing of addresses or names."""
    return {part: _in_words(probe, services) for part, probe in _PROBES.items()}


def _database(services: Services) -> None:
    with services.db.statement() as connection:
        connection.execute(text("SELECT FROM queue_clock"))


def _storage(services: Services) -> None:
    services.storage.check()


def _broker(services: Services) -> None:
    services.wake_ups.check()


_PROBES = {"database": _database, "storage": _storage, "broker": _broker}


def _in_words(probe: object, services: Services) -> str:
    assert callable(probe)
    try:
        probe(services)
    except Unavailable as error:
        return error.detail
    return "ok"
