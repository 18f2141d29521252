"""The session cookie works only for the site itself; other origins are allowed only if configured."""

from collections.abc import Callable

import pytest

from shared.core.settings import Settings
from shared.services import Services
from tests.support.doors import ORIGIN, Door, Doors
from tests.support.people import Person

OTHER = "https://evil.example.com"
FRIEND = "https://friend.example.com"


def cookie(person: Person) -> dict[str, str]:
    return {"Cookie": f"theme=dark; easel_session={person.token}; lang=en"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN},
        {"Origin": ORIGIN},
        {"Origin": ORIGIN.replace("127.0.0.1", "localhost")},
        {"Origin": ORIGIN, "Host": "inside.example"},
    ],
)
def test_the_site_itself_may_write(door: Door, ada: Person, headers: dict[str, str]) -> None:
    response = door.post("/v1/jobs", json={"prompt": "x"}, headers={**cookie(ada), **headers})
    assert response.status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
        {"Origin": OTHER},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://127.0.0.1:8081"},
        {"Origin": "http://easel.localhost:8080", "Host": "easel.localhost:8080"},
        {"Origin": ORIGIN + ".evil.example.com"},
        {"Referer": ORIGIN},
    ],
)
def test_other_sites_may_not(door: Door, ada: Person, headers: dict[str, str]) -> None:
    response = door.post("/v1/jobs", json={"prompt": "x"}, headers={**cookie(ada), **headers})
    assert (response.status_code, response.json()["code"]) == (403, "cross_site")
    assert door.get("/v1/me", headers=cookie(ada)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}])
def test_reading_with_a_cookie_needs_no_origin(door: Door, ada: Person, headers: dict[str, str]) -> None:
    assert door.get("/v1/me", headers={**cookie(ada), **headers}).status_code == 200


def test_a_token_in_the_header_needs_no_origin(door: Door, ada: Person) -> None:
    headers = {**ada.headers, **cookie(ada), "Sec-Fetch-Site": "cross-site", "Origin": OTHER}
    assert door.post("/v1/jobs", json={"prompt": "x"}, headers=headers).status_code == 202


def test_the_header_takes_precedence_over_the_cookie(door: Door, ada: Person, bob: Person) -> None:
    me = door.get("/v1/me", headers={**cookie(ada), **bob.headers}).json()
    assert me["user"]["email"] == bob.email
    assert door.get("/v1/me", headers={**cookie(ada), "Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("value", ["x", "easel_", "", '"', ";;;", "easel_" + "x" * 43])
def test_an_unknown_cookie_is_no_session(door: Door, services: Services, value: str) -> None:
    response = door.get("/v1/me", headers={"Cookie": f"easel_session={value}"})
    assert response.status_code == 401
    assert response.json()["code"] == "not_signed_in"


def test_an_expired_cookie_does_not_prevent_logging_in(door: Door, services: Services) -> None:
    body = {"email": "ada@example.com", "password": "four unusual words here"}
    for path, status in (("/v1/signup", 201), ("/v1/login", 200)):
        assert door.post(path, json=body, headers={"Cookie": "easel_session=x"}).status_code == status


@pytest.fixture
def friendly_door(doors: Doors, with_settings: Callable[..., Services]) -> Door:
    return doors.open(with_settings(cors_origins=(FRIEND,)))


def test_the_configured_address_may_be_written_in_any_way(
    doors: Doors, with_settings: Callable[..., Services], ada: Person
) -> None:
    if doors.kind == "deployed":
        pytest.skip("the addresses of a deployed function are read from its environment")
    written = {"EASEL_DATABASE_URL": "postgresql://x/", "EASEL_BROKER_URL": "redis://x"}
    read = Settings.from_environment({**written, "EASEL_PUBLIC_URL": "https://B\u00fccher.Example:443"})
    door = doors.open(with_settings(public_url=read.public_url))
    headers = {**cookie(ada), "Origin": "https://xn--bcher-kva.example", "Host": "inside.example"}
    assert door.post("/v1/jobs", json={"prompt": "x"}, headers=headers).status_code == 202


def test_no_origin_is_allowed_unless_configured(door: Door, ada: Person) -> None:
    for origin in (FRIEND, ORIGIN, "null"):
        response = door.get("/v1/me", headers={**ada.headers, "Origin": origin})
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [OTHER, "null", FRIEND + ".evil.example.com", FRIEND.replace("https", "http")])
def test_only_configured_origins_are_allowed(friendly_door: Door, ada: Person, origin: str) -> None:
    let_in = friendly_door.get("/v1/me", headers={**ada.headers, "Origin": FRIEND})
    assert let_in.headers["access-control-allow-origin"] == FRIEND
    exposed = {name.strip() for name in let_in.headers["access-control-expose-headers"].split(",")}
    assert exposed == {"ETag", "Location", "Retry-After", "X-Request-Id"}
    assert "access-control-allow-credentials" not in let_in.headers
    kept_out = friendly_door.get("/v1/me", headers={**ada.headers, "Origin": origin})
    assert "access-control-allow-origin" not in kept_out.headers


def test_errors_can_be_read_by_configured_origins(friendly_door: Door) -> None:
    response = friendly_door.get("/v1/me", headers={"Origin": FRIEND})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == FRIEND


def test_an_unexpected_error_can_be_read_by_configured_origins(
    asgi_doors: Doors, with_settings: Callable[..., Services], ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.accounts import service as accounts

    def break_down(*_: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr(accounts, "get_account", break_down)
    door = asgi_doors.open(with_settings(cors_origins=(FRIEND,)))
    answer = door.ask_unchecked("GET", "/v1/me", headers={**ada.headers, "Origin": FRIEND})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert answer.headers["x-request-id"] in answer.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_lists_what_is_allowed(
    asgi_doors: Doors, with_settings: Callable[..., Services], method: str
) -> None:
    door = asgi_doors.open(with_settings(cors_origins=(FRIEND,)))
    ask = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, if-none-match",
    }
    response = door.options("/v1/jobs", headers={**ask, "Origin": FRIEND})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRIEND
    assert method in response.headers["access-control-allow-methods"]
    assert door.options("/v1/jobs", headers={**ask, "Origin": OTHER}).status_code == 400
