"""The field `notify` on sites with and without mail."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from shared.accounts import store as user_store
from shared.notify import store as mail_store
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person

JOB = {"prompt": "a lighthouse"}


@pytest.fixture
def mute(doors: Doors, with_settings: Callable[..., Services]) -> Door:
    """Open Easel without mail."""
    return doors.open(with_settings(mail_url=""))


def check_refused(response: Any) -> None:
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    [error] = response.json()["errors"]
    assert (error["field"], error["code"], error["limit"]) == ("notify", "not_offered", None)


def prefer_mail(services: Services, person: Person) -> None:
    """Store the user's preference for mail, as if chosen while the site sent mail."""
    with services.db.begin() as connection:
        user_store.set_notify(connection, person.id, "email")


def test_a_finished_job_has_a_mail_in_the_outbox(
    door: Door, ada: Person, services: Services, submit: Callable[..., Any], finish: Callable[[], None]
) -> None:
    notified, _ = submit(notify="email"), submit(notify="none")
    finish()
    with services.db.statement() as connection:
        rows = connection.exec_driver_sql("SELECT job_id FROM mails").scalars().all()
    assert [str(row) for row in rows] == [notified["id"]]
    assert door.delete(notified["links"]["self"], headers=ada.headers).status_code == 204
    with services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mails").scalar_one() == 0


def test_without_mail_a_job_cannot_ask_for_it(mute: Door, ada: Person) -> None:
    check_refused(mute.post("/v1/jobs", json=JOB | {"notify": "email"}, headers=ada.headers))
    assert mute.get("/v1/me", headers=ada.headers).json()["quota"]["running"] == 0
    for fields in ({}, {"notify": "none"}, {"notify": None}):
        response = mute.post("/v1/jobs", json=JOB | fields, headers=ada.headers)
        assert response.status_code == 202
        assert response.json()["settings"]["notify"] == "none"


def test_without_mail_an_account_cannot_choose_it(mute: Door, ada: Person) -> None:
    check_refused(mute.patch("/v1/me", json={"notify": "email"}, headers=ada.headers))
    assert mute.patch("/v1/me", json={"notify": "none"}, headers=ada.headers).json()["notify"] == "none"


def test_an_earlier_choice_is_ignored(door: Door, mute: Door, ada: Person, services: Services) -> None:
    prefer_mail(services, ada)
    job = mute.post("/v1/jobs", json=JOB, headers=ada.headers).json()
    assert job["settings"]["notify"] == "none"
    stored = mute.get(job["links"]["self"], headers=ada.headers).json()
    assert stored["settings"]["notify"] == "none"
    assert door.post("/v1/jobs", json=JOB, headers=ada.headers).json()["settings"]["notify"] == "email"


def test_a_repeated_request_gets_its_job_without_mail(door: Door, mute: Door, ada: Person) -> None:
    for number, fields in enumerate(({"notify": "email"}, {})):
        headers = {**ada.headers, "Idempotency-Key": f"key-{number}"}
        first = door.post("/v1/jobs", json=JOB | fields, headers=headers)
        again = mute.post("/v1/jobs", json=JOB | fields, headers=headers)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("mail_url", ["", "smtp://mail.example.com"])
def test_the_presets_say_whether_there_is_mail(
    doors: Doors, with_settings: Callable[..., Services], mail_url: str
) -> None:
    fields = doors.open(with_settings(mail_url=mail_url)).get("/v1/presets").json()["fields"]
    assert {field["name"]: field["offered"] for field in fields}["notify"] is bool(mail_url)


def test_one_click_ends_mail(
    door: Door, ada: Person, services: Services, submit: Callable[..., Any], finish: Callable[[], None]
) -> None:
    submit(notify="email")
    finish()
    with services.db.statement() as connection:
        query = text("SELECT mail_secret FROM users WHERE id = :id")
        secret = bytes(connection.execute(query, {"id": ada.id}).scalar_one()).hex()
    assert door.post(f"/v1/unsubscribe/{'0' * 64}").status_code == 404
    assert door.post("/v1/unsubscribe/short").status_code == 400
    assert door.get("/v1/me", headers=ada.headers).json()["user"]["mail_stopped"] is None
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    one_click = door.post(f"/v1/unsubscribe/{secret}", content="List-Unsubscribe=One-Click", headers=form)
    assert (one_click.status_code, one_click.json()) == (200, {"status": "unsubscribed"})
    user = door.get("/v1/me", headers=ada.headers).json()["user"]
    assert (user["mail_stopped"], user["notify"]) == ("unsubscribed", "none")
    with services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mails").scalar_one() == 0
    back = door.patch("/v1/me", json={"notify": "email", "language": "ru"}, headers=ada.headers).json()
    assert (back["mail_stopped"], back["notify"], back["language"]) == (None, "email", "ru")


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/stylizations"])
def test_a_group_has_one_mail_in_the_outbox(
    door: Door, ada: Person, services: Services, finish: Callable[[], None], photo: str, path: str
) -> None:
    prefer_mail(services, ada)
    body: dict[str, Any] = {"requests": [JOB, JOB | {"prompt": "a ship"}]}
    if path == "/v1/stylizations":
        body = {"source_image": photo, "styles": ["banksy", "malevich"]}
    group = door.post(path, json=body, headers=ada.headers).json()
    finish()
    with services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mails").scalar_one() == 0
        rows = connection.exec_driver_sql("SELECT group_id FROM group_mails").scalars().all()
        assert [str(row) for row in rows] == [group["id"]]
        claim = mail_store.claim(connection, "group_mails")
    assert claim is not None
    made = [job["id"] for job in group["jobs"] if not job["settings"]["describe"]]
    assert [job.id for job in claim.jobs] == made, "the job that describes the photo makes no picture"
    assert len(claim.images) == 2
    assert door.delete(f"/v1/batches/{group['id']}", headers=ada.headers).status_code == 204
    with services.db.statement() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM group_mails").scalar_one() == 0
