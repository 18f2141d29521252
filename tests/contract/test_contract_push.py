"""The browsers of a user that are notified when a job has ended: subscribing, its limits, and whose they are."""

from typing import Any

import pytest
from sqlalchemy import text

from shared.accounts import push_subscriptions
from shared.notify import push_keys
from shared.services import Services
from tests.contract.test_contract_webhooks import WRONG
from tests.support.doors import Door
from tests.support.people import Person

KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
ENDPOINT = "https://push.example.com/send/1"


def subscribe(door: Door, person: Person, endpoint: str = ENDPOINT, **keys: Any) -> Any:
    return door.post("/v1/me/push", json={"endpoint": endpoint, "keys": KEYS | keys}, headers=person.headers)


def endpoints(services: Services) -> list[tuple[Any, ...]]:
    with services.db.statement() as connection:
        query = text("SELECT user_id, endpoint FROM push_subscriptions ORDER BY created_at, id")
        return [tuple(row) for row in connection.execute(query)]


def test_the_key_is_there_once_the_poller_has_made_it(door: Door, ada: Person, services: Services) -> None:
    early = door.get("/v1/me/push", headers=ada.headers)
    assert (early.status_code, early.json()["code"]) == (503, "unavailable")
    made = push_keys.ensure(services)
    assert door.get("/v1/me/push", headers=ada.headers).json() == {"key": made.application_key}
    assert door.get("/v1/me/push").status_code == 401


def test_a_browser_subscribes_and_leaves(door: Door, ada: Person, bob: Person, services: Services) -> None:
    assert subscribe(door, ada).status_code == 204
    assert subscribe(door, ada).status_code == 204
    assert endpoints(services) == [(ada.id, ENDPOINT)]
    counted = [door.get("/v1/me", headers=person.headers).json()["push_browsers"] for person in (ada, bob)]
    assert counted == [1, 0]
    gone = {"endpoint": ENDPOINT}
    assert door.request("DELETE", "/v1/me/push", headers=bob.headers, json=gone).status_code == 204
    assert endpoints(services) == [(ada.id, ENDPOINT)]
    for _ in range(2):
        assert door.request("DELETE", "/v1/me/push", headers=ada.headers, json=gone).status_code == 204
        assert endpoints(services) == []


def test_a_browser_belongs_to_who_subscribed_last(door: Door, ada: Person, bob: Person, services: Services) -> None:
    subscribe(door, ada)
    assert subscribe(door, bob).status_code == 204
    assert endpoints(services) == [(bob.id, ENDPOINT)]


def test_the_oldest_of_too_many_is_forgotten(door: Door, ada: Person, bob: Person, services: Services) -> None:
    subscribe(door, bob, f"{ENDPOINT}/bob")
    for number in range(push_subscriptions.MOST + 2):
        subscribe(door, ada, f"{ENDPOINT}/{number}")
    kept = [endpoint.rpartition("/")[2] for _, endpoint in endpoints(services)]
    assert kept == ["bob", *(str(number) for number in range(2, push_subscriptions.MOST + 2))]


@pytest.mark.parametrize(("url", "code"), [*WRONG, ("https://push.example.com:8443/", "not_public"), ("", "too_short")])
def test_what_no_push_service_is_gets_refused(door: Door, ada: Person, services: Services, url: str, code: str) -> None:
    response = subscribe(door, ada, url)
    assert response.status_code == 422, response.text
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("endpoint", code)
    assert endpoints(services) == []


@pytest.mark.parametrize(
    "keys",
    [{"p256dh": "A" * 87}, {"p256dh": "B" + "A" * 85}, {"auth": "A" * 23}, {"auth": "+" * 22}, {"auth": None}],
)
def test_keys_of_the_wrong_form_are_refused(door: Door, ada: Person, services: Services, keys: Any) -> None:
    response = subscribe(door, ada, **keys)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert endpoints(services) == []
