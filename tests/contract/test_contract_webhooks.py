"""Webhook addresses and secrets in the API."""

import re
from typing import Any

import pytest

from tests.support.doors import Door
from tests.support.people import Person

GOOD = "https://hooks.example.com/easel?key=1"

WRONG = [
    ("https://169.254.169.254/latest/meta-data", "not_public"),
    ("https://[::ffff:169.254.169.254]/", "not_public"),
    ("https://[64:ff9b::a9fe:a9fe]/", "not_public"),
    ("https://2852039166/", "not_public"),
    ("https://0xa9.0xfe.0xa9.0xfe/", "not_public"),
    ("https://10.1.2.3:8443/", "not_public"),
    ("https://localhost/", "not_public"),
    ("https://postgres:5432/", "not_public"),
    ("https://metadata.google.internal./", "not_public"),
    ("http://hooks.example.com/", "no_url"),
    ("ftp://hooks.example.com/", "no_url"),
    ("https://user:password@hooks.example.com/", "no_url"),
    ("https://hooks.example.com/#part", "no_url"),
    ("https://hooks.example.com\\@169.254.169.254/", "no_url"),
    ("https://hooks.example.com/\r\nX: y", "no_url"),
    ("https://hooks.example.com:99999/", "no_url"),
    ("https://[::1", "no_url"),
    ("hooks.example.com", "no_url"),
    ("https://hooks.example.com/" + "a" * 2000, "too_long"),
]


def check_refused(response: Any, code: str) -> None:
    assert response.status_code == 422, response.text
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [("webhook_url", code)]


@pytest.mark.parametrize(("url", "code"), WRONG)
def test_a_wrong_address_is_refused(door: Door, ada: Person, url: str, code: str) -> None:
    job = {"prompt": "a lighthouse", "webhook_url": url}
    check_refused(door.post("/v1/jobs", json=job, headers=ada.headers), code)
    check_refused(door.patch("/v1/me", json={"webhook_url": url}, headers=ada.headers), code)
    assert door.get("/v1/me", headers=ada.headers).json()["user"]["webhook_url"] is None


def test_an_account_has_an_address_until_it_takes_it_back(door: Door, ada: Person) -> None:
    user = door.patch("/v1/me", json={"webhook_url": GOOD}, headers=ada.headers).json()
    assert (user["webhook_url"], user["webhook_error"], user["notify"]) == (GOOD, None, "none")
    assert door.patch("/v1/me", json={"notify": "none"}, headers=ada.headers).json()["webhook_url"] == GOOD
    assert door.patch("/v1/me", json={"webhook_url": ""}, headers=ada.headers).json()["webhook_url"] is None
    assert door.patch("/v1/me", json={}, headers=ada.headers).status_code == 422


def test_a_job_shows_its_address_to_its_owner(door: Door, ada: Person) -> None:
    job = door.post("/v1/jobs", json={"prompt": "a lighthouse", "webhook_url": GOOD}, headers=ada.headers).json()
    assert job["settings"]["webhook_url"] == GOOD
    assert door.get(job["links"]["self"], headers=ada.headers).json()["settings"]["webhook_url"] == GOOD


def test_each_account_has_a_secret_that_can_be_replaced(door: Door, ada: Person, bob: Person) -> None:
    def secret(person: Person) -> str:
        return str(door.get("/v1/me/webhook-secret", headers=person.headers).json()["secret"])

    first = secret(ada)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", first)
    assert first == secret(ada) != secret(bob)
    renewed = door.post("/v1/me/webhook-secret", headers=ada.headers).json()["secret"]
    assert first != renewed == secret(ada)
    assert door.get("/v1/me/webhook-secret").status_code == 401
