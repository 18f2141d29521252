"""API tokens: their end, their last use, and rights."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from shared.polling import garbage
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person

JOB = {"prompt": "a lighthouse at night", "width": 64, "height": 64}
ALL = ["jobs:read", "jobs:write", "account"]


def make(door: Door, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = door.post("/v1/tokens", json={"name": "a program", **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    token: dict[str, Any] = answer.json()
    return token


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def change_token(services: Services, token: dict[str, Any], assignments: str) -> None:
    with services.db.begin() as connection:
        connection.execute(text(f"UPDATE tokens SET {assignments} WHERE id = :id"), {"id": token["id"]})


def written(services: Services, token: dict[str, Any]) -> tuple[str, bool]:
    """Return which transaction wrote the token's row, and whether its use was recorded within a minute."""
    query = "SELECT xmin::text, last_used_at > clock_timestamp() - interval '1 minute' FROM tokens WHERE id = :id"
    with services.db.statement() as connection:
        by, is_new = connection.execute(text(query), {"id": token["id"]}).one()
        return by, bool(is_new)


def test_a_token_without_an_end_and_rights_does_everything(door: Door, ada: Person) -> None:
    token = make(door, ada.headers)
    assert (token["expires_at"], token["last_used_at"], token["rights"]) == (None, None, ALL)
    assert make(door, ada.headers, expires_in_days=None, rights=None)["rights"] == ALL
    assert door.delete("/v1/sessions", headers=bearer(token)).status_code == 204


def test_an_expired_token_is_as_unknown(door: Door, ada: Person, services: Services) -> None:
    token = make(door, ada.headers, expires_in_days=30)
    with services.db.statement() as connection:
        query = "SELECT round(extract(epoch FROM expires_at - created_at) / 86400) = 30 FROM tokens WHERE id = :id"
        assert connection.execute(text(query), {"id": token["id"]}).scalar_one() is True
    assert door.get("/v1/jobs", headers=bearer(token)).status_code == 200
    change_token(services, token, "expires_at = clock_timestamp()")
    unknown = {"Authorization": "Bearer easel_" + "x" * 43}
    for path in ("/v1/jobs", "/v1/me"):
        expired = door.get(path, headers=bearer(token))
        assert (expired.status_code, expired.content) == (401, door.get(path, headers=unknown).content)
    assert door.post("/v1/jobs", json=JOB, headers=bearer(token)).status_code == 401
    assert door.get("/v1/tokens", headers=ada.headers).json()["tokens"] == []
    garbage.retire(services)
    with services.db.statement() as connection:
        query = "SELECT count(*) FROM tokens WHERE id = :id"
        assert connection.execute(text(query), {"id": token["id"]}).scalar_one() == 0


@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "30", True], ids=repr)
def test_an_end_that_is_no_number_of_days_is_refused(door: Door, ada: Person, days: Any) -> None:
    answer = door.post("/v1/tokens", json={"name": "x", "expires_in_days": days}, headers=ada.headers)
    assert code(answer) == (422, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["expires_in_days"]


@pytest.mark.parametrize("rights", [[], ["jobs"], "account", [None], ["account"] * 4], ids=repr)
def test_rights_that_do_not_exist_are_refused(door: Door, ada: Person, rights: Any) -> None:
    answer = door.post("/v1/tokens", json={"name": "x", "rights": rights}, headers=ada.headers)
    assert code(answer) == (422, "invalid_request")


def test_rights_are_listed_once_in_their_order(door: Door, ada: Person) -> None:
    assert make(door, ada.headers, rights=["account", "jobs:read", "account"])["rights"] == ["jobs:read", "account"]


def test_the_use_is_recorded_by_calls_about_jobs_once_an_hour(
    door: Door, ada: Person, services: Services, submit: Callable[..., dict[str, Any]]
) -> None:
    path = f"/v1/jobs/{submit()['id']}"
    token = make(door, ada.headers)
    calls: list[Callable[[], Any]] = [
        lambda: door.get(path, headers=bearer(token)),
        lambda: door.get(f"{path}?wait=0.1", headers=bearer(token)),
        lambda: door.get("/v1/jobs", headers=bearer(token)),
        lambda: door.get("/v1/jobs?q=lighthouse", headers=bearer(token)),
        lambda: door.post("/v1/jobs", json=JOB, headers=bearer(token)),
        lambda: door.post("/v1/batches", json={"requests": [JOB]}, headers=bearer(token)),
    ]
    for call in calls:
        change_token(services, token, "last_used_at = clock_timestamp() - interval '61 minutes'")
        first = call()
        assert first.is_success, first.text
        once = written(services, token)
        assert once[1], "the use is recorded"
        assert call().is_success
        assert written(services, token) == once, "the second call only reads the token"
    [listed] = door.get("/v1/tokens", headers=ada.headers).json()["tokens"]
    assert listed["last_used_at"] is not None


def test_the_first_use_is_recorded(door: Door, ada: Person, services: Services) -> None:
    token = make(door, ada.headers)
    assert door.get("/v1/jobs", headers=bearer(token)).json()["jobs"] == []
    assert written(services, token)[1]


def test_a_session_is_kept_by_calls_about_jobs(door: Door, ada: Person, services: Services) -> None:
    with services.db.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE tokens SET last_used_at = now() - interval '2 hours', idle_s = 86400, ends_at = now() + interval"
            " '9 days', expires_at = now() + interval '1 hour'"
        )
    assert door.get("/v1/jobs", headers=ada.headers).status_code == 200
    with services.db.statement() as connection:
        moved = connection.exec_driver_sql("SELECT expires_at > now() + interval '23 hours' FROM tokens").scalar()
    assert moved is True


def test_no_token_makes_one_with_more_rights(door: Door, ada: Person) -> None:
    narrow = make(door, ada.headers, rights=["account"])
    for rights in (["jobs:read"], ["jobs:write"], ALL):
        refused = door.post("/v1/tokens", json={"name": "x", "rights": rights}, headers=bearer(narrow))
        assert code(refused) == (403, "not_permitted")
    assert make(door, bearer(narrow))["rights"] == ["account"]
    reader = make(door, ada.headers, rights=["jobs:read", "account"])
    assert make(door, bearer(reader), rights=["jobs:read"])["rights"] == ["jobs:read"]
    assert make(door, bearer(reader))["rights"] == ["jobs:read", "account"]


@pytest.mark.parametrize("right", ALL)
def test_every_token_can_end_itself(door: Door, ada: Person, right: str) -> None:
    first, second, other = (make(door, ada.headers, rights=[right]) for _ in range(3))
    if right != "account":
        refused = door.delete(f"/v1/tokens/{other['id']}", headers=bearer(first))
        assert code(refused) == (403, "not_permitted")
    assert door.delete(f"/v1/tokens/{first['id']}", headers=bearer(first)).status_code == 204
    assert door.post("/v1/logout", headers=bearer(second)).status_code == 204
    for token in (first, second):
        assert door.get("/v1/me", headers=bearer(token)).status_code == 401
    assert door.get("/v1/me", headers=bearer(other)).status_code == 200


def test_what_is_there_is_not_shown_without_the_right(
    door: Door, ada: Person, submit: Callable[..., dict[str, Any]]
) -> None:
    """The answer is the same whether a job exists or not, also where the token's use is recorded already."""
    job = submit()
    writer = make(door, ada.headers, rights=["jobs:write"])
    there = door.get(f"/v1/jobs/{job['id']}", headers=bearer(writer))
    absent = door.get("/v1/jobs/00000000-0000-7000-8000-000000000000", headers=bearer(writer))
    assert code(there) == code(absent) == (403, "not_permitted")
    assert there.content == absent.content
    assert door.post("/v1/jobs", json=JOB, headers=bearer(writer)).status_code == 202
    reader = make(door, ada.headers, rights=["jobs:read"])
    assert door.get(f"/v1/jobs/{job['id']}", headers=bearer(reader)).status_code == 200
    assert code(door.post("/v1/jobs", json=JOB, headers=bearer(reader))) == (403, "not_permitted")
    assert len(door.get("/v1/jobs", headers=ada.headers).json()["jobs"]) == 2
