"""Where a user is logged in: the list of sessions, ending them, their expiry, and changing the password."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.shapes import check, maybe, time, uuid7

PASSWORD = "four unusual words here"
NEW = "eight blue kettles whistle"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SESSION = {
    "id": uuid7,
    "device": maybe(str),
    "created_at": time,
    "last_used_at": time,
    "expires_at": time,
    "current": bool,
}


def log_in(door: Door, user_agent: str = "curl/8.5.0") -> dict[str, str]:
    """Log in as Grace; return the headers of the new session."""
    body = {"email": "grace@example.com", "password": PASSWORD}
    answer = door.post("/v1/login", json=body, headers={"User-Agent": user_agent})
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def grace(door: Door) -> dict[str, str]:
    """Sign up; return the headers of the session."""
    body = {"email": "grace@example.com", "password": PASSWORD}
    answer = door.post("/v1/signup", json=body, headers={"User-Agent": FIREFOX})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def sessions_of(door: Door, headers: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = door.get("/v1/sessions", headers=headers).json()["sessions"]
    return found


def works(door: Door, headers: dict[str, str]) -> bool:
    return door.get("/v1/me", headers=headers).status_code == 200


def test_sessions_are_listed_and_ended(door: Door, grace: dict[str, str], bob: Person) -> None:
    second, third = log_in(door), log_in(door, "(odd)")
    listed = door.get("/v1/sessions", headers=second)
    assert listed.json()["next"] is None
    check(listed.json()["sessions"], [SESSION])
    assert [(entry["device"], entry["current"]) for entry in listed.json()["sessions"]] == [
        (None, False),
        ("curl", True),
        ("Firefox, Linux", False),
    ]
    odd = listed.json()["sessions"][0]["id"]
    for headers, status in ((bob.headers, 404), (second, 204), (second, 404)):
        assert door.delete(f"/v1/sessions/{odd}", headers=headers).status_code == status
    assert not works(door, third)
    assert door.delete("/v1/sessions/none", headers=second).status_code == 404
    api_token = door.post("/v1/tokens", json={"name": "x"}, headers=second).json()
    assert door.delete(f"/v1/sessions/{api_token['id']}", headers=second).status_code == 404
    assert door.delete("/v1/sessions", headers=second).status_code == 204
    assert [entry["current"] for entry in sessions_of(door, second)] == [True]
    assert not works(door, grace)
    assert works(door, {"Authorization": f"Bearer {api_token['token']}"})
    assert works(door, bob.headers)


def test_the_list_has_pages(door: Door, grace: dict[str, str], bob: Person) -> None:
    log_in(door)
    first = door.get("/v1/sessions?limit=1", headers=grace).json()
    second = door.get("/v1/sessions", params={"limit": 1, "cursor": first["next"]}, headers=grace).json()
    assert [page["sessions"][0]["device"] for page in (first, second)] == ["curl", "Firefox, Linux"]
    assert second["next"] is None
    assert door.get("/v1/sessions", params={"cursor": first["next"]}, headers=bob.headers).status_code == 400


def test_use_is_recorded_once_an_hour_and_moves_the_end(door: Door, grace: dict[str, str], services: Services) -> None:
    def row() -> Any:
        with services.db.statement() as connection:
            return connection.exec_driver_sql(
                "SELECT xmin::text, last_used_at > clock_timestamp() - interval '1 minute' AS is_new,"
                " expires_at - clock_timestamp() > interval '13 days' AS is_moved FROM tokens"
            ).one()

    before = row()
    assert works(door, grace)
    assert row() == before, "a read stays a read"
    age = "UPDATE tokens SET last_used_at = now() - interval '2 hours', expires_at = now() + interval '1 day'"
    with services.db.begin() as connection:
        connection.exec_driver_sql(age)
    assert works(door, grace)
    after = row()
    assert (after.is_new, after.is_moved) == (True, True)
    with services.db.begin() as connection:
        connection.exec_driver_sql(f"{age}, ends_at = now() + interval '2 days'")
    assert works(door, grace)
    assert row().is_moved is False, "no session outlives its end"


@pytest.mark.parametrize(("days", "idle_days", "left"), [(3, 9, 3), (9, 3, 3)])
def test_a_session_ends_by_age_and_without_use(
    doors: Any, with_settings: Callable[..., Services], days: int, idle_days: int, left: int
) -> None:
    services = with_settings(session_days=days, session_idle_days=idle_days)
    door = doors.open(services)
    body = {"email": "grace@example.com", "password": PASSWORD}
    answer = door.post("/v1/signup", json=body)
    assert f"Max-Age={days * 24 * 3600}" in answer.headers["set-cookie"]
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    with services.db.begin() as connection:
        query = text("SELECT expires_at - created_at < make_interval(days => :left, mins => 1) FROM tokens")
        assert connection.execute(query, {"left": left}).scalar_one() is True
        connection.exec_driver_sql("UPDATE tokens SET expires_at = clock_timestamp()")
    assert not works(door, headers)


def test_a_password_is_changed_and_other_sessions_end(
    door: Door, grace: dict[str, str], services: Services, ada: Person
) -> None:
    other = log_in(door)
    api_token = {
        "Authorization": f"Bearer {door.post('/v1/tokens', json={'name': 'x'}, headers=other).json()['token']}"
    }
    path = "/v1/me/password"
    wrong = door.post(path, json={"password": "wrong", "new_password": NEW}, headers=grace)
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    for weak, code in (("short", "too_short"), ("grace@example.com", "well_known")):
        refused = door.post(path, json={"password": PASSWORD, "new_password": weak}, headers=grace)
        assert refused.json()["errors"][0] | {"message": ""} == {
            "field": "new_password",
            "message": "",
            "code": code,
            "limit": 12 if code == "too_short" else None,
        }
    assert works(door, other)
    assert door.post(path, json={"password": PASSWORD, "new_password": NEW}, headers=grace).status_code == 204
    assert [works(door, headers) for headers in (grace, other, api_token, ada.headers)] == [True, False, True, True]
    for password, status in ((PASSWORD, 401), (NEW, 200)):
        body = {"email": "grace@example.com", "password": password}
        assert door.post("/v1/login", json=body).status_code == status
    with services.db.statement() as connection:
        waiting = connection.exec_driver_sql("SELECT kind, email FROM account_mails WHERE kind <> 'new_device'").all()
    assert [tuple(row) for row in waiting] == [("password_changed", "grace@example.com")]
