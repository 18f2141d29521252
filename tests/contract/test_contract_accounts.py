"""Accounts: sign-up, login and logout, settings, tokens and deletion."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from functions.http.threads import BoundedPool
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.shapes import ACCOUNT, SESSION, TOKEN, USER, check

PASSWORD = "four unusual words here"


def sign_up(door: Door, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return door.post("/v1/signup", json={"email": email, "password": password})


def log_in(door: Door, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return door.post("/v1/login", json={"email": email, "password": password})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie_attributes(response: httpx.Response) -> tuple[str, dict[str, str]]:
    [cookie] = response.headers.get_list("set-cookie")
    (name, value), *attributes = [part.strip().partition("=")[::2] for part in cookie.split(";")]
    assert name == "easel_session"
    return value.strip('"'), {name.lower(): text.lower() for name, text in attributes}


def test_a_new_account_is_signed_in(door: Door, services: Services) -> None:
    response = sign_up(door)
    assert response.status_code == 201
    session = response.json()
    check(session, SESSION)
    assert session["user"]["email"] == "ada@example.com"
    left = datetime.fromisoformat(session["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < left < timedelta(days=31)
    value, attributes = cookie_attributes(response)
    assert value == session["token"]
    assert attributes == {"httponly": "", "samesite": "lax", "path": "/", "max-age": str(30 * 24 * 3600)}
    assert door.get("/v1/me", headers=bearer(session["token"])).json()["user"] == session["user"]


def test_the_cookie_of_a_site_on_https_is_secure(
    door: Door, doors: Any, with_settings: Callable[..., Services]
) -> None:
    secure = doors.open(with_settings(public_url="https://easel.example.com"))
    assert "secure" in cookie_attributes(sign_up(secure))[1]


def test_logging_in_creates_another_token(door: Door, services: Services) -> None:
    first = sign_up(door).json()
    response = log_in(door)
    assert response.status_code == 200
    session = response.json()
    check(session, SESSION)
    assert session["user"] == first["user"]
    assert session["token"] != first["token"]
    assert cookie_attributes(response)[0] == session["token"]
    for token in (session["token"], first["token"]):
        assert door.get("/v1/me", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("email", ["ADA@EXAMPLE.COM", "Ada@Example.Com", " ada@example.com", "ada@example.com \t"])
def test_an_address_is_compared_without_case_and_outer_spaces(door: Door, services: Services, email: str) -> None:
    sign_up(door)
    taken = sign_up(door, email)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    assert log_in(door, email).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        "", "x", "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "ada@@example.com", "ada@.com",
        "ada@exam ple.com", "ada@example.com\0", "Ada <ada@example.com>", "ada@[127.0.0.1]",
        "ada@localhost", "ada@" + "x" * 64 + ".com", "x" * 300 + "@example.com",
        "\ud800@example.com", "ada@example.com,bob@example.com", "gallery@easel.invalid", 7, None, True, [], {},
    ],
    ids=ascii,
)  # fmt: skip
def test_an_invalid_address_is_refused(door: Door, services: Services, email: Any) -> None:
    import json

    response = door.post(
        "/v1/signup",
        content=json.dumps({"email": email, "password": PASSWORD}),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert [error["field"] for error in response.json()["errors"]] == ["email"]
    assert PASSWORD not in response.text


@pytest.mark.parametrize(
    "password",
    ["password1234", "passwordpassword", "123456789012", "qwertyuiopasdf", "aaaaaaaaaaaaaaaa", "adaadaadaada",
     "ada@example.com", "abcdefghijklmnop", "iloveyouiloveyou", "brief", "", "x" * 129, "eleven ch-r", 7, None],
    ids=ascii,
)  # fmt: skip
def test_a_weak_password_is_refused(door: Door, services: Services, password: Any) -> None:
    response = sign_up(door, "ada@example.com", password)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["password"]
    assert not password or str(password) not in response.text.replace("Take four unusual words", "")
    assert log_in(door, password=password).status_code in (401, 422)


def test_a_password_may_have_128_characters(door: Door, services: Services) -> None:
    password = "длинный пароль из многих слов " * 4 + "12345678"
    assert len(password) == 128
    assert sign_up(door, password=password).status_code == 201
    assert log_in(door, password=password).status_code == 200
    assert log_in(door, password=password[:-1]).status_code == 401
    assert log_in(door, password=password + "9").status_code == 422


def test_an_unknown_address_and_a_wrong_password_look_the_same(door: Door, services: Services) -> None:
    sign_up(door)
    answers = [
        log_in(door, password="four other words here"),
        log_in(door, "bob@example.com"),
        log_in(door, "no address"),
        log_in(door, "gallery@easel.invalid"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["code"] for answer in answers} == {"bad_credentials"}
    assert len({answer.content for answer in answers}) == 1
    headers = [{**answer.headers, "x-request-id": ""} for answer in answers]
    assert all(header == headers[0] for header in headers)
    assert "set-cookie" not in answers[0].headers


def test_an_account_without_a_password_cannot_log_in(door: Door, ada: Person) -> None:
    assert log_in(door, ada.email, "no password").status_code == 401


def test_logging_out_revokes_the_token(door: Door, ada: Person) -> None:
    response = door.post("/v1/logout", headers=ada.headers)
    assert (response.status_code, response.content) == (204, b"")
    value, attributes = cookie_attributes(response)
    assert (value, attributes["max-age"], attributes["path"]) == ("", "0", "/")
    again = door.post("/v1/logout", headers=ada.headers)
    assert (again.status_code, again.json()["code"]) == (401, "not_signed_in")


def test_logging_out_keeps_other_sessions(door: Door, services: Services) -> None:
    first, second = sign_up(door).json()["token"], log_in(door).json()["token"]
    door.post("/v1/logout", headers=bearer(first))
    assert door.get("/v1/me", headers=bearer(second)).status_code == 200


def test_me_shows_the_quota(door: Door, ada: Person) -> None:
    response = door.get("/v1/me", headers=ada.headers)
    assert response.status_code == 200
    check(response.json(), ACCOUNT)
    assert response.json()["quota"] == {"per_day": 200, "left_today": 200, "running": 0, "max_running": 2}
    door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers)
    assert door.get("/v1/me", headers=ada.headers).json()["quota"]["left_today"] == 199


def test_the_notification_of_new_jobs_can_be_chosen(door: Door, ada: Person) -> None:
    response = door.patch("/v1/me", json={"notify": "email"}, headers=ada.headers)
    assert response.status_code == 200
    check(response.json(), USER)
    assert response.json()["notify"] == "email"
    for fields, expected in (({}, "email"), ({"notify": "none"}, "none"), ({"notify": None}, "email")):
        job = door.post("/v1/jobs", json={"prompt": "x", **fields}, headers=ada.headers).json()
        assert job["settings"]["notify"] == expected


@pytest.mark.parametrize("body", [{}, {"notify": "sms"}, {"notify": None}, {"notify": 1}, {"notify": ["email"]}])
def test_an_invalid_notification_is_refused(door: Door, ada: Person, body: dict[str, Any]) -> None:
    response = door.patch("/v1/me", json=body, headers=ada.headers)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["notify"]


def test_read_only_fields_are_refused(door: Door, ada: Person) -> None:
    body = {"notify": "none", "email": "bob@example.com", "weight": 100}
    response = door.patch("/v1/me", json=body, headers=ada.headers)
    assert response.status_code == 422
    assert {error["field"] for error in response.json()["errors"]} == {"email", "weight"}


def test_an_api_token_is_shown_once_and_works_until_it_is_revoked(door: Door, ada: Person) -> None:
    response = door.post("/v1/tokens", json={"name": " laptop "}, headers=ada.headers)
    assert response.status_code == 201
    token = response.json()
    check(token, TOKEN | {"token": SESSION["token"]})
    assert token["name"] == "laptop"
    assert door.get("/v1/me", headers=bearer(token["token"])).json()["user"]["email"] == ada.email
    listed = door.get("/v1/tokens", headers=ada.headers)
    [entry] = listed.json()["tokens"]
    check(entry, TOKEN)
    assert entry == {name: token[name] for name in TOKEN} | {"last_used_at": entry["last_used_at"]}
    assert (token["last_used_at"], entry["last_used_at"] is None) == (None, False)
    assert token["token"] not in listed.text
    revoked = door.delete(f"/v1/tokens/{token['id']}", headers=ada.headers)
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert door.get("/v1/me", headers=bearer(token["token"])).status_code == 401
    assert door.get("/v1/tokens", headers=ada.headers).json()["tokens"] == []


def test_tokens_are_paged_newest_first(door: Door, ada: Person) -> None:
    ids = [door.post("/v1/tokens", json={"name": str(n)}, headers=ada.headers).json()["id"] for n in range(3)]
    first = door.get("/v1/tokens?limit=2", headers=ada.headers).json()
    assert [token["id"] for token in first["tokens"]] == ids[:0:-1]
    second = door.get("/v1/tokens", params={"limit": 2, "cursor": first["next"]}, headers=ada.headers).json()
    assert ([token["id"] for token in second["tokens"]], second["next"]) == (ids[:1], None)


def test_a_cursor_is_good_for_its_token_alone(door: Door, ada: Person, bob: Person) -> None:
    for _ in range(2):
        door.post("/v1/tokens", json={"name": "a program"}, headers=ada.headers)
    cursor = door.get("/v1/tokens?limit=1", headers=ada.headers).json()["next"]
    tampered = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for sent, person in ((cursor, bob), (tampered, ada), (cursor[:-1], ada), (str(ada.id), ada)):
        answer = door.get("/v1/tokens", params={"cursor": sent}, headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    nobody = door.get("/v1/tokens", params={"cursor": cursor})
    assert nobody.content == door.get("/v1/tokens").content


def test_a_token_of_another_user_is_not_found(door: Door, ada: Person, bob: Person, services: Services) -> None:
    token = door.post("/v1/tokens", json={"name": "x"}, headers=ada.headers).json()
    with services.db.statement() as connection:
        query = text("SELECT id FROM tokens WHERE user_id = :id AND kind = 'session'")
        session_id = connection.execute(query, {"id": ada.id}).scalar()
    for token_id, person in ((token["id"], bob), (session_id, ada)):
        answer = door.delete(f"/v1/tokens/{token_id}", headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert door.get("/v1/me", headers=bearer(token["token"])).status_code == 200


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", 7, None, []], ids=ascii)
def test_an_invalid_name_of_a_token_is_refused(door: Door, ada: Person, name: Any) -> None:
    response = door.post("/v1/tokens", json={"name": name}, headers=ada.headers)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["name"]


def test_there_are_at_most_100_api_tokens(door: Door, ada: Person) -> None:
    for _ in range(100):
        assert door.post("/v1/tokens", json={"name": "x"}, headers=ada.headers).status_code == 201
    assert door.post("/v1/tokens", json={"name": "x"}, headers=ada.headers).status_code == 422


def test_deleting_an_account_deletes_everything_of_it(
    door: Door, services: Services, finish: Callable[[], None], poller: Any, person: Callable[[str], Person]
) -> None:
    token = sign_up(door).json()["token"]
    headers = bearer(token)
    api_token = door.post("/v1/tokens", json={"name": "x"}, headers=headers).json()["token"]
    done = door.post("/v1/jobs", json={"prompt": "x"}, headers=headers).json()
    finish()
    image = door.get(done["links"]["self"], headers=headers).json()["images"][0]
    waiting = door.post("/v1/jobs", json={"prompt": "x"}, headers=headers).json()
    upload = door.post("/v1/uploads", json={"content_type": "image/png", "size": 3}, headers=headers).json()
    services.storage.put(upload["key"], b"png", "image/png")
    bob = person("bob")

    wrong = door.request("DELETE", "/v1/me", json={"password": "four other words here"}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    response = door.request("DELETE", "/v1/me", json={"password": PASSWORD}, headers=headers)
    assert response.status_code == 202
    assert cookie_attributes(response)[1]["max-age"] == "0"

    for dead in (token, api_token):
        assert door.get("/v1/me", headers=bearer(dead)).status_code == 401
    assert log_in(door).status_code == 401
    assert door.get(image["link"]).status_code == 404
    with services.db.statement() as connection:
        for table in ("jobs", "images", "job_events", "job_sources", "uploads"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
        garbage = set(connection.execute(text("SELECT prefix FROM garbage")).scalars())
    assert garbage == {
        f"jobs/{done['id']}/",
        f"jobs/{waiting['id']}/",
        upload["key"],
        upload["key"].split(".")[0],  # again, once its form is good no more
        upload["key"].rsplit("/", 1)[0] + "/",
        upload["key"].rsplit("/", 1)[0].replace("uploads", "exports") + "/",
    }
    assert poller.collect() == 3
    assert door.get("/v1/me", headers=bob.headers).status_code == 200
    assert sign_up(door).status_code == 201


def test_ids_are_in_order_of_creation(door: Door, ada: Person, bob: Person) -> None:
    assert UUID(str(ada.id)) < UUID(str(bob.id))


def test_while_passwords_wait_for_their_turn_others_are_served(
    asgi_door: Door, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once as many wait as may, the next one hears when to try again."""
    pool, begun, go = BoundedPool(1, 0), threading.Event(), threading.Event()
    for function in ("login", "signup", "account"):
        monkeypatch.setattr(f"functions.{function}.passwords", lambda: pool)

    def work() -> bool:
        begun.set()
        return go.wait(60)

    busy = threading.Thread(target=lambda: asyncio.run(pool.call(work)))
    busy.start()
    try:
        assert begun.wait(60)
        calls = (
            log_in(asgi_door),
            sign_up(asgi_door, "bob@example.com"),
            asgi_door.request("DELETE", "/v1/me", json={"password": PASSWORD}, headers=ada.headers),
        )
        assert {(answer.status_code, answer.json()["code"]) for answer in calls} == {(503, "unavailable")}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in calls)
        assert asgi_door.get("/v1/me", headers=ada.headers).status_code == 200
    finally:
        go.set()
        busy.join()
    assert sign_up(asgi_door, "bob@example.com").status_code == 201
