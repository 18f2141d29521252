"""The headers of all routes, also where they refuse a request. Doors check those that every answer has."""

import re
from collections.abc import Iterator

import pytest

from functions.http.manifest import manifest
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person

ROUTES = [(route["method"], route["path"]) for route in manifest()]
FRIEND = "https://friend.example.com"
NOTHING = "00000000-0000-7000-8000-000000000000"
SHARED_CACHES = {"/i/{image_id}", "/s/{code}", "/v1/gallery", "/v1/health", "/v1/presets", "/v1/places", "/v1/actions"}
"""Routes whose answers are the same for everybody."""


@pytest.fixture
def door(asgi_door: Door) -> Door:
    """Open the gateway alone: what differs between doors is tested elsewhere."""
    return asgi_door


@pytest.fixture(scope="module")
def safe_door(asgi_doors: Doors, session_services: Services) -> Iterator[Door]:
    """Open one gateway with other settings for all routes: the first answer of each takes long."""
    changes = {"public_url": "https://easel.example.com", "cors_origins": (FRIEND,)}
    other = Services(session_services.settings.model_copy(update=changes))
    yield asgi_doors.open(other)
    other.db.close()


def address(path: str) -> str:
    return re.sub(r"{[a-z_]+}", NOTHING, path)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_cache_keeps_the_answer_to_somebody(door: Door, ada: Person, method: str, path: str) -> None:
    for headers in (ada.headers, {"Authorization": "Bearer easel_x"}, {}):
        answer = door.request(method, address(path), headers=headers)
        if path not in SHARED_CACHES:
            assert re.search(r"no-store|private", answer.headers["cache-control"]), answer.status_code


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_a_site_that_browsers_reach_by_tls_tells_them_to_stay_there(
    safe_door: Door, door: Door, method: str, path: str
) -> None:
    assert safe_door.request(method, address(path)).headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in door.request(method, address(path)).headers


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_unexpected_error_has_them_too(
    safe_door: Door, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr("functions.http.direct._Endpoint.call", break_down)
    monkeypatch.setattr("fastapi.routing.serialize_response", break_down)
    monkeypatch.setattr("fastapi.routing.solve_dependencies", break_down)
    answer = safe_door.ask_unchecked(method, address(path), headers={"Origin": FRIEND})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_no_redirect_repeats_the_host_that_a_request_names(asgi_door: Door) -> None:
    answer = asgi_door.get("/docs", headers={"Host": "other.example.com"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs/")
