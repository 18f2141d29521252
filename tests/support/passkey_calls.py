"""Calls about passkeys: adding one, and logging in with one."""

import json
from typing import Any
from uuid import UUID

from shared.accounts import passkey_store
from shared.services import Services
from tests.support.authenticator import Authenticator
from tests.support.doors import Door

PASSWORD = "four unusual words here"
EMAIL = "grace@example.com"
JSON = {"Content-Type": "application/json"}


def sign_up(door: Door, email: str = EMAIL) -> dict[str, str]:
    answer = door.post("/v1/signup", json={"email": email, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def begin(door: Door, headers: dict[str, str], **proof: str) -> Any:
    answer = door.post("/v1/passkey-options", json={"password": PASSWORD, **proof}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["options"]


def send(door: Door, headers: dict[str, str], credential: Any, name: str = "a phone") -> Any:
    return door.post(
        "/v1/passkeys", content=json.dumps({"name": name, "credential": credential}), headers=headers | JSON
    )


def add(door: Door, headers: dict[str, str], name: str = "a phone", **made: Any) -> Authenticator:
    """Add a passkey; return it."""
    authenticator = Authenticator(**made)
    answer = send(door, headers, authenticator.make(begin(door, headers)), name)
    assert answer.status_code == 201, answer.text
    return authenticator


def names(door: Door, headers: dict[str, str]) -> list[str]:
    return [one["name"] for one in door.get("/v1/passkeys", headers=headers).json()["passkeys"]]


def ask(door: Door) -> Any:
    answer = door.post("/v1/login/passkey/options")
    assert answer.status_code == 200, answer.text
    return answer.json()["options"]


def answer_with(door: Door, credential: Any) -> Any:
    return door.post("/v1/login/passkey", content=json.dumps({"credential": credential}), headers=JSON)


def log_in(door: Door, passkey: Authenticator) -> Any:
    return answer_with(door, passkey.sign(ask(door)))


def outcome(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else None


def keep_challenge(services: Services, challenge: bytes, user_id: UUID | None) -> None:
    """Keep a challenge without asking for it, which takes a password."""
    with services.db.begin() as connection:
        connection.exec_driver_sql("DELETE FROM passkey_challenges")
        passkey_store.keep_challenge(connection, challenge, user_id)
