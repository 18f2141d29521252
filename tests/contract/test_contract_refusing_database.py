"""Every route on a database that takes no changes now, or cannot be reached: 503 `unavailable`, never an unknown error.

The door itself checks that each answer is documented, is not 500, and has Retry-After.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from sqlalchemy import make_url

from shared.core.tables import metadata
from shared.services import Services
from tests.contract.test_contract_matrix import TABLE, ask
from tests.support.belongings import Belongings
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.refused_writes import refused_writes

CHANGES = [f"INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT" for table in metadata.tables]
PRIVATE = {route for route, row in TABLE.items() if row.access != "public" and row.status != 403}
CHANGING = {"GET /v1/health", "POST /v1/jobs", "POST /v1/batches", "POST /v1/tokens", "DELETE /v1/jobs/{job_id}"}
REFUSALS = ("53100", "40P01", "57P03", "XX000")


def answers(door: Door, asked: dict[str, tuple[Any, Person]]) -> dict[str, tuple[int, str | None]]:
    """Ask every route; return its status, and the code of its error."""
    found = {}
    for route, (name, owner) in asked.items():
        response = ask(door, route, name, owner.headers)
        failed = response.status_code >= 400 and route != "GET /v1/health"
        found[route] = (response.status_code, response.json()["code"] if failed else None)
    return found


@pytest.fixture
def asked(
    asgi_door: Door,
    services: Services,
    person: Callable[[str], Person],
    catalogue: object,
    finish: Callable[[], None],
) -> dict[str, tuple[Any, Person]]:
    """Return for every route what it names, and whose that is."""
    belongings = Belongings(asgi_door, services, finish)
    owners = {route: person(f"owner-{number}") for number, route in enumerate(TABLE)}
    return {
        route: (belongings.make(row.of, owners[route]) if row.of else None, owners[route])
        for route, row in TABLE.items()
    }


def test_every_route_on_a_refusing_database(
    asgi_doors: Doors,
    services: Services,
    with_settings: Callable[..., Services],
    asked: dict[str, tuple[Any, Person]],
) -> None:
    url = make_url(services.settings.database_url)
    standby = url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    nowhere = url.update_query_dict({"host": "127.0.0.1", "port": "9"})
    others = {
        name: with_settings(database_url=other.render_as_string(hide_password=False))
        for name, other in (("standby", standby), ("restarting", nowhere))
    }
    states: dict[str, tuple[Services, AbstractContextManager[None]]] = {
        **{name: (other, nullcontext()) for name, other in others.items()},
        **{code: (services, refused_writes(services.db, code, *CHANGES)) for code in REFUSALS},
    }
    for state, (site, refusing) in states.items():
        with refusing:
            found = answers(asgi_doors.open(site), asked)
        for route, (status, code) in found.items():
            assert status < 500 or code == "unavailable" or route == "GET /v1/health", (state, route, code)
        refused = {route for route, (status, _) in found.items() if status == 503}
        assert refused >= CHANGING, state
        assert state != "restarting" or refused >= PRIVATE, PRIVATE - refused
