"""A disabled account: its sessions, logging in, and what stays public. Every route is in the matrix."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.admin import accounts
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person


@pytest.fixture
def disabled(services: Services, ada: Person) -> Person:
    accounts.disable(services, ada.email, "spam", hide=False)
    return ada


def test_a_session_can_still_be_ended(door: Door, services: Services, disabled: Person) -> None:
    assert door.post("/v1/logout", headers=disabled.headers).status_code == 204
    accounts.enable(services, disabled.email)
    assert door.get("/v1/me", headers=disabled.headers).json()["code"] == "not_signed_in"


def test_logging_in(door: Door, services: Services) -> None:
    body = {"email": "ada@example.com", "password": "four unusual words here"}
    assert door.post("/v1/signup", json=body).status_code == 201
    accounts.disable(services, body["email"], None, hide=False)
    wrong = door.post("/v1/login", json=body | {"password": "five unusual words here"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")
    right = door.post("/v1/login", json=body)
    assert (right.status_code, right.json()["code"]) == (403, "account_disabled")
    assert "set-cookie" not in right.headers
    taken = door.post("/v1/signup", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    accounts.enable(services, body["email"])
    assert door.post("/v1/login", json=body).status_code == 200


def test_public_content_stays(
    door: Door, services: Services, ada: Person, submit: Callable[..., Any], finish: Callable[[], None]
) -> None:
    job = submit()
    finish()
    door.put(f"/v1/jobs/{job['id']}/publication", headers=ada.headers)
    [image] = door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()["images"]
    accounts.disable(services, ada.email, None, hide=False)
    assert [item["job_id"] for item in door.get("/v1/gallery").json()["items"]] == [job["id"]]
    assert door.get(image["link"]).status_code == 302
    accounts.disable(services, ada.email, None, hide=True)
    assert door.get("/v1/gallery").json()["items"] == []
    assert door.get(image["link"]).status_code == 404


def test_the_quota_of_one_account_is_shown(door: Door, services: Services, ada: Person, bob: Person) -> None:
    accounts.set_jobs_per_day(services, ada.email, 1)
    assert door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers).status_code == 202
    assert door.get("/v1/me", headers=ada.headers).json()["quota"]["left_today"] == 0
    spent = door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers)
    assert (spent.status_code, spent.json()["code"]) == (429, "quota_spent")
    assert door.get("/v1/me", headers=bob.headers).json()["quota"]["per_day"] == services.settings.jobs_per_day
