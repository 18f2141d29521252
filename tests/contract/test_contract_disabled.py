"""A disabled account at the API: the same answer at every route that needs an account."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.gateway import manifest
from shared.admin import accounts
from shared.services import Services
from tests.support.doors import ORIGIN, Door
from tests.support.people import Person

ANYONE = {
    *("signup", "login", "logout", "recovery", "unsubscribe"),
    *("gallery", "report", "presets", "health", "picture", "catalogue"),
}
SIGNED_IN = [(route["method"], route["path"]) for route in manifest() if route["name"] not in ANYONE]
BODIES: dict[str, Any] = {
    "/v1/jobs": {"prompt": "x"},
    "/v1/uploads": {"content_type": "image/png", "size": 9},
    "/v1/tokens": {"name": "a program"},
    "/v1/batches": {"requests": [{"prompt": "x"}]},
    "/v1/stylizations": {"source_image": "x", "styles": ["oil"]},
    "/v1/likenesses": {"photos": ["x"] * 5, "subject": "object", "consent": True},
    "/v1/likeness-checks": {"photos": ["x"], "subject": "object"},
    "PATCH /v1/likenesses/{code}": {"shared": True},
    "/v1/scenes": {"place": "park", "action": "reading", "gender": "man"},
    "/v1/me/email": {"password": "x", "email": "new@example.com"},
    "/v1/me/password": {"password": "x", "new_password": "four unusual words here"},
    "/v1/me/push": {
        "endpoint": "https://push.example.com/x",
        "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22},
    },
    "DELETE /v1/me/push": {"endpoint": "https://push.example.com/x"},
    "PATCH": {"notify": "none"},
    "DELETE": {"password": "four unusual words here"},
}


@pytest.fixture
def disabled(services: Services, ada: Person) -> Person:
    accounts.disable(services, ada.email, "spam", hide=False)
    return ada


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
@pytest.mark.parametrize("by_cookie", [False, True], ids=["token", "cookie"])
def test_every_call_is_refused(door: Door, disabled: Person, method: str, path: str, by_cookie: bool) -> None:
    cookie = {"Cookie": f"easel_session={disabled.token}", "Origin": ORIGIN}
    address = (
        path.replace("{job_id}", str(disabled.id))
        .replace("{token_id}", str(disabled.id))
        .replace("{session_id}", str(disabled.id))
        .replace("{group_id}", str(disabled.id))
    )
    body = BODIES.get(f"{method} {path}") or BODIES.get(path if method == "POST" else method)
    response = door.request(method, address, json=body, headers=cookie if by_cookie else disabled.headers)
    assert (response.status_code, response.json()["code"]) == (403, "account_disabled")
    assert "spam" not in response.text


def test_there_is_something_to_refuse() -> None:
    assert ("POST", "/v1/jobs") in SIGNED_IN
    assert len(SIGNED_IN) > 10


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
