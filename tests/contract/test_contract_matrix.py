"""Who may call what: every route of the manifest, for each kind of caller, with the owner's objects and others'.

The table declares what each route is for; what each caller gets follows from that. A route without a row fails.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import pytest

from functions.http.manifest import manifest
from shared.accounts import token_store
from shared.accounts.tokens import new_token, token_hash
from shared.admin import accounts
from shared.core.rights import RIGHTS, Right
from shared.services import Services
from tests.support.belongings import PASSWORD, PUSH, SMALL, Belongings
from tests.support.doors import ORIGIN, Door
from tests.support.people import Person

OTHER_SITE = "https://other.example.com"


@dataclass(frozen=True)
class Row:
    """One route: who it is for, what the owner gets, and what the request names.

    Attributes:
        access: "public": everybody gets the same. "own": needs an account, and reads what is the caller's. "changes":
            needs an account, and refuses a cookie from another site.
        of: The kind of object that the request names; its name replaces the path's parameter, and OF in the body.
        stranger: What a user gets who names another's object, if not 404 for a path.
    """

    access: Literal["public", "own", "changes"]
    status: int
    of: str | None = None
    body: Any = None
    stranger: int | None = None
    disabled: int = 403


OF, CALLER = "{of}", "{caller}"
LIKENESS = {"photos": OF, "subject": "object", "consent": True}
SCENE = {"place": "park", "action": "reading", "gender": "woman", "quality": "draft"}

# This site has no OpenID Connect provider: it offers no sign-in there (403).
TABLE: dict[str, Row] = {
    "POST /v1/signup": Row("public", 201, body={"email": f"{CALLER}@new.example.com", "password": PASSWORD}),
    "POST /v1/login": Row("public", 200, of="account", body={"email": OF, "password": PASSWORD}),
    "POST /v1/password-reset": Row("public", 202, body={"email": f"{CALLER}@new.example.com"}),
    "PUT /v1/password-reset": Row("public", 409, body={"token": "x" * 43, "password": PASSWORD}),
    "POST /v1/verify": Row("public", 409, body={"token": "x" * 43}),
    "POST /v1/unsubscribe/{secret}": Row("public", 200, of="secret"),
    "GET /i/{image_id}": Row("public", 302, of="image"),
    "GET /s/{code}": Row("public", 302, of="scene"),
    "GET /v1/gallery": Row("public", 200, of="published"),
    "GET /v1/gallery/{job_id}": Row("public", 200, of="published"),
    "POST /v1/gallery/{job_id}/reports": Row("public", 202, of="published", body={"reason": "other"}),
    "GET /v1/presets": Row("public", 200),
    "GET /v1/places": Row("public", 200),
    "GET /v1/actions": Row("public", 200),
    "GET /v1/health": Row("public", 200),
    "GET /v1/jobs/{job_id}": Row("own", 200, of="finished"),
    "GET /v1/jobs": Row("own", 200, of="job"),
    "POST /v1/jobs": Row("changes", 202, of="upload", body={"prompt": "x", "source_images": [OF]}, stranger=422),
    "POST /v1/jobs/{job_id}/cancel": Row("changes", 200, of="job"),
    "DELETE /v1/jobs/{job_id}": Row("changes", 204, of="finished"),
    "PUT /v1/jobs/{job_id}/publication": Row("changes", 200, of="finished"),
    "DELETE /v1/jobs/{job_id}/publication": Row("changes", 200, of="published"),
    "POST /v1/jobs/{job_id}/publication/appeal": Row("changes", 200, of="removed", body={"text": "Look again."}),
    "POST /v1/batches": Row("changes", 202, of="finished", body={"requests": [SMALL | {"from_job": OF}]}, stranger=422),
    "GET /v1/batches/{group_id}": Row("own", 200, of="group"),
    "GET /v1/batches/{group_id}/pictures.zip": Row("own", 302, of="finished_group"),
    "POST /v1/batches/{group_id}/cancel": Row("changes", 200, of="group"),
    "DELETE /v1/batches/{group_id}": Row("changes", 204, of="finished_group"),
    "POST /v1/stylizations": Row(
        "changes", 202, of="upload", body={"source_image": OF, "styles": ["oil"]}, stranger=422
    ),
    "POST /v1/likenesses": Row("changes", 202, of="photos", body=LIKENESS, stranger=422),
    "POST /v1/likeness-checks": Row(
        "changes", 204, of="photos", body={"photos": OF, "subject": "object"}, stranger=422
    ),
    "GET /v1/likenesses": Row("own", 200, of="likeness"),
    "GET /v1/likenesses/{code}": Row("own", 200, of="likeness"),
    "PATCH /v1/likenesses/{code}": Row("changes", 200, of="likeness", body={"name": "Rex"}),
    "DELETE /v1/likenesses/{code}": Row("changes", 204, of="likeness"),
    "POST /v1/scenes": Row("changes", 202, body=SCENE),
    "POST /v1/uploads": Row("changes", 201, body={"content_type": "image/png", "size": 9}),
    "POST /v1/logout": Row("changes", 204, disabled=204),
    "GET /v1/me": Row("own", 200),
    "PATCH /v1/me": Row("changes", 200, body={"notify": "none"}),
    "DELETE /v1/me": Row("changes", 202, of="account", body={"password": PASSWORD}, stranger=401),
    "POST /v1/me/password": Row(
        "changes",
        204,
        of="account",
        body={"password": PASSWORD, "new_password": "five other unusual words here"},
        stranger=401,
    ),
    "POST /v1/me/email": Row(
        "changes", 202, of="account", body={"password": PASSWORD, "email": "another@example.com"}, stranger=401
    ),
    "POST /v1/me/confirmation": Row("changes", 202),
    "GET /v1/oidc/login": Row("public", 403),
    "GET /v1/oidc/callback": Row("public", 403),
    "GET /v1/me/identities": Row("own", 200, of="identity"),
    "POST /v1/me/identities": Row("changes", 403, body={}),
    "DELETE /v1/me/identities/{identity_id}": Row("changes", 204, of="identity"),
    "GET /v1/sessions": Row("own", 200, of="session"),
    "DELETE /v1/sessions": Row("changes", 204),
    "DELETE /v1/sessions/{session_id}": Row("changes", 204, of="session"),
    "POST /v1/exports": Row("changes", 202),
    "GET /v1/exports": Row("own", 200, of="export"),
    "GET /v1/exports/{export_id}": Row("own", 200, of="export"),
    "DELETE /v1/exports/{export_id}": Row("changes", 204, of="export"),
    "GET /v1/me/webhook-secret": Row("own", 200),
    "POST /v1/me/webhook-secret": Row("changes", 200),
    "GET /v1/me/push": Row("own", 200, of="push_key", stranger=200),
    "POST /v1/me/push": Row("changes", 204, body=PUSH),
    "DELETE /v1/me/push": Row("changes", 204, of="subscription", body={"endpoint": OF}, stranger=204),
    "POST /v1/tokens": Row("changes", 201, body={"name": "a program"}),
    "POST /v1/totp": Row("changes", 200, of="account", body={"password": PASSWORD}, stranger=401),
    "PUT /v1/totp": Row("changes", 200, of="begun_factor", body={"code": OF}, stranger=404),
    "DELETE /v1/totp": Row("changes", 204, of="factor", body={"password": PASSWORD, "code": OF}, stranger=401),
    "POST /v1/totp/recovery-codes": Row(
        "changes", 200, of="factor", body={"password": PASSWORD, "code": OF}, stranger=401
    ),
    "POST /v1/login/passkey/options": Row("public", 200),
    "POST /v1/login/passkey": Row("public", 401, body={"credential": {}}),
    "GET /v1/passkeys": Row("own", 200, of="passkey"),
    "POST /v1/passkey-options": Row("changes", 200, of="account", body={"password": PASSWORD}, stranger=401),
    "POST /v1/passkeys": Row(
        "changes", 201, of="made_passkey", body={"name": "a phone", "credential": OF}, stranger=422
    ),
    "DELETE /v1/passkeys/{passkey_id}": Row("changes", 204, of="passkey", body={"password": PASSWORD}),
    "GET /v1/tokens": Row("own", 200, of="token"),
    "DELETE /v1/tokens/{token_id}": Row("changes", 204, of="token"),
}


def test_every_route_has_a_row() -> None:
    assert TABLE.keys() == {f"{route['method']} {route['path']}" for route in manifest()}


@pytest.fixture
def door(asgi_door: Door) -> Door:
    """Open the gateway alone: what differs between doors is tested elsewhere."""
    return asgi_door


@pytest.fixture
def belongings(door: Door, services: Services, route: str, request: pytest.FixtureRequest) -> Belongings:
    if TABLE[route].of == "scene" or route == "POST /v1/scenes":
        request.getfixturevalue("catalogue")

    def finish() -> None:
        """Finish the jobs. Only then is a generator made known, which trains nothing."""
        request.getfixturevalue("finish")()

    return Belongings(door, services, finish)


def api_token(services: Services, owner: Person, *rights: Right) -> str:
    token = new_token()
    with services.db.begin() as connection:
        token_store.create_token(
            connection,
            owner.id,
            token_hash(token) or b"",
            kind="api",
            name="a program",
            lifetime_s=None,
            rights=rights or RIGHTS,
        )
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(owner: Person, origin: str) -> dict[str, str]:
    return {"Cookie": f"easel_session={owner.token}", "Origin": origin}


def fill(template: Any, name: Any, caller: str) -> Any:
    """Put an object's name, and the caller's, into the body of a row."""
    if template == OF:
        return name
    if isinstance(template, str):
        return template.replace(CALLER, caller)
    if isinstance(template, list):
        return [fill(part, name, caller) for part in template]
    if isinstance(template, dict):
        return {key: fill(part, name, caller) for key, part in template.items()}
    return template


def ask(door: Door, route: str, name: Any, headers: dict[str, str], caller: str = "x") -> httpx.Response:
    """Send a row's request for the object of this name."""
    method, path = route.split()
    before, opened, rest = path.partition("{")
    address = f"{before}{name}{rest.partition('}')[2]}" if opened else path
    return door.request(method, address, json=fill(TABLE[route].body, name, caller), headers=headers)


def outcome(response: httpx.Response) -> tuple[int, str | None]:
    """Return an answer's status, and its code where it is an error."""
    return response.status_code, response.json()["code"] if response.status_code >= 400 else None


def without_request(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return all of an answer that may not depend on what exists."""
    headers = {name: value for name, value in response.headers.items() if name not in ("x-request-id", "date")}
    return response.status_code, response.content, headers


@pytest.mark.parametrize("route", [route for route, row in TABLE.items() if row.access == "public"])
def test_a_public_route_is_the_same_for_everybody(
    door: Door, belongings: Belongings, ada: Person, bob: Person, services: Services, route: str
) -> None:
    row = TABLE[route]
    name = belongings.make(row.of, ada) if row.of else None
    callers = {
        "nobody": {},
        "wrong-token": bearer("easel_" + "x" * 43),
        "stranger": bob.headers,
        "owner": cookie(ada, ORIGIN),
        "owner-elsewhere": cookie(ada, OTHER_SITE),
        "owner-by-token": bearer(api_token(services, ada)),
    }
    found = {caller: ask(door, route, name, headers, caller).status_code for caller, headers in callers.items()}
    accounts.disable(services, bob.email, None, hide=False)
    found["disabled"] = ask(door, route, name, bob.headers, "disabled").status_code
    assert found == dict.fromkeys(found, row.status)


@pytest.mark.parametrize("route", [route for route, row in TABLE.items() if row.access != "public"])
def test_a_private_route_is_its_owners(
    door: Door,
    belongings: Belongings,
    person: Callable[[str], Person],
    services: Services,
    route: str,
) -> None:
    row = TABLE[route]
    # One owner for each way to sign in that succeeds, since a request may use up its object.
    ada, eve, dan, bob = (person(name) for name in ("ada", "eve", "dan", "bob"))
    name, eves, dans = (belongings.make(row.of, one) if row.of else None for one in (ada, eve, dan))
    accounts.disable(services, dan.email, "spam", hide=False)

    refused = {
        "nobody": ask(door, route, name, {}),
        "wrong token": ask(door, route, name, bearer("easel_" + "x" * 43)),
        "disabled": ask(door, route, dans, dan.headers),
        "disabled, by cookie": ask(door, route, dans, cookie(dan, ORIGIN)),
        "elsewhere": ask(door, route, name, cookie(ada, OTHER_SITE)),
    }
    assert outcome(refused["nobody"]) == outcome(refused["wrong token"]) == (401, "not_signed_in")
    assert refused["nobody"].content == refused["wrong token"].content
    assert "spam" not in refused["disabled"].text
    if row.disabled == 403:
        assert outcome(refused["disabled"]) == outcome(refused["disabled, by cookie"]) == (403, "account_disabled")
    else:
        assert refused["disabled"].status_code == row.disabled
    if row.access == "changes":
        assert outcome(refused["elsewhere"]) == (403, "cross_site")
    else:
        assert refused["elsewhere"].status_code == row.status
    assert not [header for header in refused["elsewhere"].headers if header.startswith("access-control")]

    check_stranger(door, route, name, bob)
    owners = [ask(door, route, name, cookie(ada, ORIGIN)), ask(door, route, eves, bearer(api_token(services, eve)))]
    assert [answer.status_code for answer in owners] == [row.status, row.status], owners[0].text + owners[1].text
    if lists(route):
        assert json.dumps(name) in owners[0].text
        assert json.dumps(eves) not in owners[0].text or name == eves


def lists(route: str) -> bool:
    """Return whether a route lists objects without naming any."""
    return route.startswith("GET ") and "{" not in route and TABLE[route].of is not None


def check_stranger(door: Door, route: str, name: Any, bob: Person) -> None:
    """Fail unless what is another's looks exactly as what is not there."""
    row = TABLE[route]
    if row.of is None:
        return
    expected = row.stranger or (404 if "{" in route else row.status)
    anothers = ask(door, route, name, bob.headers)
    assert anothers.status_code == expected, anothers.text
    if row.of in Belongings.ABSENT and not lists(route):
        absent = ask(door, route, Belongings.ABSENT[row.of], bob.headers)
        assert without_request(anothers) == without_request(absent)
    elif row.of != "push_key":
        assert json.dumps(name) not in anothers.text


def test_reading_is_one_right_and_changing_another() -> None:
    for route in manifest():
        row = TABLE[f"{route['method']} {route['path']}"]
        assert ("right" in route) == (row.access != "public"), route["path"]
        if route.get("right") is not None:
            of_account = route["path"].startswith(
                ("/v1/me", "/v1/tokens", "/v1/sessions", "/v1/totp", "/v1/passkey", "/v1/exports")
            )
            of_jobs = "jobs:read" if row.access == "own" else "jobs:write"
            assert route["right"] == ("account" if of_account else of_jobs), route["path"]


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("route", [route for route, row in TABLE.items() if row.access != "public"])
def test_a_token_with_one_right_is_for_the_routes_that_need_it(
    door: Door, belongings: Belongings, ada: Person, services: Services, route: str, right: Right
) -> None:
    row = TABLE[route]
    name = belongings.make(row.of, ada) if row.of else None
    [needed] = (listed["right"] for listed in manifest() if f"{listed['method']} {listed['path']}" == route)
    answer = ask(door, route, name, bearer(api_token(services, ada, right)))
    if needed in (None, right):
        assert answer.status_code == row.status, answer.text
    else:
        assert outcome(answer) == (403, "not_permitted")
        assert f"'{needed}'" in answer.json()["detail"]
