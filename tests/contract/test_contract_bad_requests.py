"""Requests refused before their values are checked: bodies, headers, queries, paths, methods and tokens."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from functions.http.manifest import manifest
from shared.accounts.tokens import token_hash
from shared.core.limits import MAX_BODY_BYTES
from shared.services import Services
from tests.support.authenticator import Authenticator
from tests.support.doors import GATEWAY_ANSWER, Door, Doors
from tests.support.people import Person
from tests.support.separate_database import separate_database

JSON = {"Content-Type": "application/json"}
NO_JOB = "00000000-0000-7000-8000-000000000000"
WITH_BODY = [
    (route["method"], route["path"].replace("{job_id}", NO_JOB).replace("{group_id}", NO_JOB))
    for route in manifest()
    if route["name"] in ("signup", "login", "recovery", "submit", "totp", "upload", "report")
] + [
    ("POST", "/v1/tokens"),
    ("POST", "/v1/me/password"),
    ("POST", "/v1/me/email"),
    ("POST", "/v1/me/identities"),
    ("POST", "/v1/login/passkey"),
    ("POST", "/v1/passkeys"),
    ("POST", "/v1/passkey-options"),
    ("DELETE", f"/v1/passkeys/{NO_JOB}"),
    ("PATCH", "/v1/me"),
    ("DELETE", "/v1/me"),
    ("POST", "/v1/batches"),
    ("POST", "/v1/stylizations"),
    ("POST", "/v1/likenesses"),
    ("POST", "/v1/likeness-checks"),
    ("PATCH", "/v1/likenesses/12345678"),
    ("POST", "/v1/scenes"),
    ("POST", "/v1/me/push"),
    ("DELETE", "/v1/me/push"),
]
BODIES = {
    "POST /v1/me/password": {"password": "x", "new_password": "four unusual words here"},
    "POST /v1/me/email": {"password": "x", "email": "new@example.com"},
    "POST /v1/totp": {"password": "x"},
    "PUT /v1/totp": {"code": "123456"},
    "DELETE /v1/totp": {"password": "x", "code": "123456"},
    "POST /v1/totp/recovery-codes": {"password": "x", "code": "123456"},
    "POST /v1/me/identities": {"password": "x"},
    "POST /v1/login/passkey": {"credential": Authenticator().sign({"challenge": "x" * 43})},
    "POST /v1/passkeys": {"name": "x", "credential": {}},
    "POST /v1/passkey-options": {"password": "x"},
    f"DELETE /v1/passkeys/{NO_JOB}": {"password": "x"},
    "POST /v1/verify": {"token": "x"},
    "POST /v1/password-reset": {"email": "ada@example.com"},
    "PUT /v1/password-reset": {"token": "x", "password": "four unusual words here"},
    "POST /v1/me/push": {
        "endpoint": "https://push.example.com/x",
        "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22},
    },
    "DELETE /v1/me/push": {"endpoint": "https://push.example.com/x"},
    "POST /v1/jobs": {"prompt": "x"},
    "POST /v1/batches": {"requests": [{"prompt": "x"}]},
    "POST /v1/stylizations": {"source_image": "x", "styles": ["oil"]},
    "POST /v1/likenesses": {"photos": ["x"] * 5, "subject": "object", "consent": True},
    "POST /v1/likeness-checks": {"photos": ["x"], "subject": "object"},
    "PATCH /v1/likenesses/{code}": {"shared": True},
    "POST /v1/scenes": {"place": "park", "action": "reading", "gender": "man"},
    "PATCH /v1/me": {"notify": "none"},
    "DELETE /v1/me": {"password": "four unusual words here"},
    "POST /v1/tokens": {"name": "x"},
    "POST /v1/uploads": {"content_type": "image/png", "size": 1},
}


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"not json",
        b"{",
        b'{"prompt": "x"',
        b"[]",
        b'["prompt"]',
        b'"prompt"',
        b"7",
        b"null",
        b"true",
        b"NaN",
        b"\xff\xfe{\x00}\x00",
        b'{"prompt": "\xff"}',
        b'{"prompt": "\xc3"}',
        b"\x00",
        b"prompt=x",
        b"[" * 100_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"n": ' + b"9" * 100_000 + b"}",
        b"<?xml version='1.0'?><prompt/>",
    ],
    ids=lambda body: f"{body[:12]!r}..{len(body)}" if isinstance(body, bytes) else body,
)
def test_a_body_that_is_not_an_object_is_refused(door: Door, ada: Person, method: str, path: str, body: bytes) -> None:
    response = door.request(method, path, content=body, headers={**ada.headers, **JSON})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request")
    assert problem["errors"]
    assert len(response.content) < 2000


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": "a boat", "prompt": "a castle"}',
        b'{"prompt": "a boat", "\\u0070rompt": "a castle"}',
        b'{"prompt": "a boat", "size": {"width": 512, "width": 256}}',
        '{"prompt": "a boat"}'.encode("utf-16"),
        '{"prompt": "a boat"}'.encode("utf-16-be"),
        '{"prompt": "a boat"}'.encode("utf-32"),
        '{"prompt": "\u00e9"}'.encode("latin-1"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/hal+json"])
def test_json_that_readers_understand_differently_is_refused(
    door: Door, ada: Person, content_type: str, body: bytes
) -> None:
    response = door.post("/v1/jobs", content=body, headers={**ada.headers, "Content-Type": content_type})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    [error] = response.json()["errors"]
    assert error["field"] == "body"
    assert "boat" not in response.text


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", "", "é/ü"]
)
def test_a_body_of_another_type_is_refused(door: Door, ada: Person, content_type: str | None) -> None:
    """Other sites can send these types without a CORS preflight."""
    headers: dict[str, Any] = dict(ada.headers)
    if content_type is not None:
        headers["Content-Type"] = content_type.encode()
    response = door.post("/v1/jobs", content=b'{"prompt": "x"}', headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("body", "wrong_type")
    assert error["message"] == "is not a JSON object whose Content-Type is application/json"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/hal+json"]
)
def test_json_is_accepted_under_each_of_its_media_types(door: Door, ada: Person, content_type: str) -> None:
    headers = {**ada.headers, "Content-Type": content_type}
    assert door.post("/v1/jobs", content=b'{"prompt": "x"}', headers=headers).status_code == 202


def pieces(size: int) -> Iterator[bytes]:
    yield b'{"prompt": "'
    for _ in range(size // 1024):
        yield b"x" * 1024
    yield b'"}'


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_a_body_of_2_mb_is_too_large(door: Door, ada: Person, method: str, path: str) -> None:
    with_length = b"".join(pieces(2_000_000))
    for content in (with_length, pieces(2_000_000)):
        response = door.request(method, path, content=content, headers={**ada.headers, **JSON})
        assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_the_largest_body_is_read(door: Door, ada: Person) -> None:
    start, end = b'{"prompt": "x"', b"}"
    body = start + b" " * (MAX_BODY_BYTES - len(start) - len(end)) + end
    assert door.post("/v1/jobs", content=body, headers={**ada.headers, **JSON}).status_code == 202
    response = door.post("/v1/jobs", content=b" " + body, headers={**ada.headers, **JSON})
    assert response.status_code == 413


BAD_TOKENS = [
    b"Bearer",
    b"Bearer ",
    b"Bearer easel_",
    b"Bearer easel_" + b"A" * 43,  # well formed, but unknown
    b"Bearer easel_" + b"A" * 44,
    b"Bearer nonsense",
    b"Bearer \xff\xfe",
    b"Bearer " + "ключ".encode(),
    b"Bearer " + b"x" * 10_000,
    b"Basic YWRhOnBhc3N3b3Jk",
    b"",
    b"easel_",
    b"Bearer easel_\x00",
    b"Bearer ' OR 1=1 --",
]


@pytest.mark.parametrize("value", BAD_TOKENS, ids=lambda value: ascii(value[:20]))
def test_an_invalid_token_is_refused(door: Door, services: Services, value: bytes) -> None:
    headers: dict[str, Any] = {"Authorization": value}
    response = door.get("/v1/me", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")
    if len(value) > 20:
        assert value[-12:] not in response.content
    assert response.content == door.get("/v1/me").content, "nobody learns what is wrong with a token"


def test_an_expired_token_is_refused(door: Door, ada: Person, services: Services) -> None:
    with services.db.begin() as connection:
        connection.execute(
            text("UPDATE tokens SET expires_at = now() WHERE hash = :hash"), {"hash": token_hash(ada.token)}
        )
    response = door.get("/v1/me", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_case_insensitive(door: Door, ada: Person, scheme: str) -> None:
    assert door.get("/v1/me", headers={"Authorization": f"{scheme} {ada.token}"}).status_code == 200


@pytest.mark.parametrize(
    "key", [b"", b"x" * 256, b"a\x01b", b"\xff", "ключ".encode(), b"a\tb", b"\x00", b"a\x7fb"], ids=ascii
)
def test_a_bad_idempotency_key_is_refused(door: Door, ada: Person, key: bytes) -> None:
    headers: dict[str, Any] = {**ada.headers, "Idempotency-Key": key}
    response = door.post("/v1/jobs", json={"prompt": "x"}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert "idempotency-key" in response.json()["detail"]


JOB = f"/v1/jobs/{NO_JOB}"
BAD_QUERIES = [
    *[f"/v1/jobs?limit={limit}" for limit in ("0", "101", "-1", "x", "1.5", "", "1e2", "9" * 5000, "%00", "%ff")],
    *[f"/v1/jobs?cursor={cursor}" for cursor in ("x", "", "%00", "%ff", "%D1%8F", "1" * 201, "e" * 200)],
    *[f"/v1/jobs?state={state}" for state in ("", "x", "QUEUED", "%00", "%ff", "queued,failed")],
    *[f"/v1/jobs?q={words}" for words in ("", "%00", "a%00b", "x" * 201, "%D1%8F" * 201, "%00&limit=1")],
    *[f"/v1/tokens?limit={limit}" for limit in ("0", "101", "x")],
    *[f"/v1/tokens?cursor={cursor}" for cursor in ("x", "%00", "1" * 201)],
    *[f"/v1/gallery?limit={limit}" for limit in ("0", "101", "x")],
    *[f"/v1/gallery?cursor={cursor}" for cursor in ("x", "", "%00", "%ff", "%D1%8F", "1" * 201, "====", "AAAA")],
    *[f"{JOB}?wait={wait}" for wait in ("-1", "20.1", "21", "x", "", "nan", "inf", "-inf", "1e400", "%00")],
    *[f"/i/00000000-0000-7000-8000-000000000000?thumbnail={word}" for word in ("2", "x", "", "%00")],
    "/i/00000000-0000-7000-8000-000000000000?download=maybe",
    "/s/22222222?thumbnail=2",
]


@pytest.mark.parametrize("address", BAD_QUERIES, ids=lambda address: address[:60])
def test_an_invalid_query_is_refused(door: Door, ada: Person, address: str) -> None:
    response = door.get(address, headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request"), response.text
    assert len(response.content) < 1000


def test_a_too_long_if_none_match_is_refused(door: Door, ada: Person) -> None:
    response = door.get(JOB, headers={**ada.headers, "If-None-Match": "x" * 1001})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name", ["no-id", "%00", "%ff", "%D1%8F", "x" * 3000, "00000000-0000-7000-8000-000000000000"])
def test_an_invalid_id_is_not_found(door: Door, ada: Person, name: str) -> None:
    answers = [door.get(f"/i/{name}"), door.delete(f"/v1/tokens/{name}", headers=ada.headers)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1", "/v1/", "/v1/jobs/", "/v1/jobs/a/b/c", "/i/", "/v2/jobs", "/v1/%00", "/v1/%ff/x.y"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_not_found(door: Door, doors: Doors, ada: Person, method: str, path: str) -> None:
    response = door.request(method, path, headers=ada.headers)
    if doors.kind != "asgi":
        assert (response.status_code, response.json()) == (404, GATEWAY_ANSWER)
    elif path.startswith("/v2") and method == "GET":
        assert response.headers["content-type"].startswith("text/html")  # a view of the site, perhaps
    elif path.startswith("/v2"):
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    else:
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


ROUTES: dict[str, set[str]] = {}
for _route in manifest():
    ROUTES.setdefault(_route["path"], set()).add(_route["method"])


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"])
def test_a_wrong_method_is_refused(asgi_door: Door, ada: Person, method: str, path: str) -> None:
    address = path.replace("{job_id}", "x").replace("{token_id}", "x").replace("{image_id}", "x")
    if method in ROUTES[path]:
        return
    response = asgi_door.request(method, address, headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    heads = {"HEAD"} if "GET" in ROUTES[path] else set()
    assert set(response.headers["allow"].split(", ")) == ROUTES[path] | heads


@pytest.mark.parametrize("name", ["User-Agent", "Accept", "Origin", "Cookie", "X-Request-Id", "Sec-Fetch-Site", "Host"])
@pytest.mark.parametrize(
    "value", [b"\xff\xfe", "ключ".encode(), b"x" * 20_000, b"\x00", b""], ids=lambda v: ascii(v[:5])
)
def test_an_unusual_header_is_harmless(door: Door, ada: Person, name: str, value: bytes) -> None:
    headers: dict[str, Any] = {**ada.headers, name: value}
    response = door.get("/v1/me", headers=headers)
    assert response.status_code == 200
    assert value[:20] not in response.headers["x-request-id"].encode() or not value


def test_an_unavailable_database_is_a_503(doors: Doors, with_settings: Callable[..., Services], ada: Person) -> None:
    away = with_settings(database_url="postgresql+psycopg2://easel@127.0.0.1:1/easel")
    response = doors.open(away).get("/v1/me", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in response.text


def test_a_database_that_was_not_migrated_is_a_503(
    asgi_doors: Doors, with_settings: Callable[..., Services], ada: Person, services: Services
) -> None:
    new = {"email": "new@example.com", "password": "four unusual words here"}
    bodies: dict[str, object] = {**BODIES, "POST /v1/signup": new, "POST /v1/login": new}
    bodies["PATCH /v1/likenesses/22222222"] = {"shared": True}
    bodies[f"POST /v1/gallery/{NO_JOB}/reports"] = {"reason": "other"}
    bodies[f"POST /v1/jobs/{NO_JOB}/publication/appeal"] = {"text": "Look again."}
    with separate_database(services.settings.database_url) as separate:
        other = with_settings(database_url=separate.url)
        door = asgi_doors.open(other)
        for route in manifest():
            path = re.sub(
                r"{[a-z_]+}", NO_JOB, route["path"].replace("{secret}", "ab" * 32).replace("{code}", "22222222")
            )
            response = door.request(
                route["method"], path, headers=ada.headers, json=bodies.get(f"{route['method']} {path}")
            )
            if route["name"] == "presets" or path.startswith("/v1/oidc/"):  # they need no database here
                assert response.status_code == (200 if route["name"] == "presets" else 403)
                continue
            assert response.status_code == 503, (route, response.text)
            if route["name"] != "health":
                assert response.json()["code"] == "unavailable"
            assert "Run its migrations" in response.text
        other.db.close()


def test_an_unexpected_error_shows_only_an_id(
    asgi_door: Door, ada: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.accounts import service as accounts

    def break_down(*_: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr(accounts, "get_account", break_down)
    with pytest.raises(AssertionError) as refused:
        asgi_door.get("/v1/me", headers=ada.headers)
    problem = json.loads(str(refused.value).splitlines()[0])
    assert (problem["status"], problem["code"]) == (500, "internal")
    assert "secret" not in json.dumps(problem)
