"""The same words in NFC and NFD: one prompt, one search, one request, one address, one password."""

import unicodedata
from typing import Literal, TypeAlias

import pytest

from shared.accounts import service
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person

Form: TypeAlias = Literal["NFC", "NFD"]

WORD = "caf\u00e9 \uac00\u0439"
NFD = unicodedata.normalize("NFD", WORD)
PASSWORD = "four unusual caf\u00e9s here"


def test_prompts(door: Door, ada: Person) -> None:
    headers = {**ada.headers, "Idempotency-Key": "the same words"}
    first = door.post("/v1/jobs", json={"prompt": NFD, "negative_prompt": NFD}, headers=headers).json()
    again = door.post("/v1/jobs", json={"prompt": WORD, "negative_prompt": WORD}, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first["id"]), "the same request"
    assert (first["prompt"], first["settings"]["negative_prompt"]) == (WORD, WORD)
    longest = unicodedata.normalize("NFD", "\u00e9" * 2000)
    assert door.post("/v1/jobs", json={"prompt": longest}, headers=ada.headers).status_code == 202


@pytest.mark.parametrize("search", [WORD, NFD, WORD.upper(), "caf\u00e9", "cafe\u0301"])
def test_searches(door: Door, ada: Person, services: Services, search: str) -> None:
    new = door.post("/v1/jobs", json={"prompt": f"a {WORD} now"}, headers=ada.headers).json()["id"]
    old = door.post("/v1/jobs", json={"prompt": "to be replaced"}, headers=ada.headers).json()["id"]
    with services.db.begin() as connection:  # as an older version stored it
        connection.exec_driver_sql("UPDATE jobs SET prompt = %s WHERE id = %s", (f"a {NFD} before", old))
    found = door.get("/v1/jobs", params={"q": search}, headers=ada.headers).json()["jobs"]
    assert {job["id"] for job in found} == {new, old}


@pytest.mark.parametrize(
    "typed",
    [
        "z\u00f6e@example.com",
        "zo\u0308e@example.com",
        "ZO\u0308E@EXAMPLE.COM",
        "\ufeffz\u00f6e@example.com\u200b",
        "\u00a0z\u00f6e@example.com\u3000",
    ],
)
def test_addresses(door: Door, services: Services, typed: str) -> None:
    made = door.post("/v1/signup", json={"email": "z\u00f6e@example.com", "password": PASSWORD})
    assert made.json()["user"]["email"] == "z\u00f6e@example.com"
    assert door.post("/v1/login", json={"email": typed, "password": PASSWORD}).status_code == 200
    taken = door.post("/v1/signup", json={"email": typed, "password": PASSWORD})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")


@pytest.mark.parametrize("set_as", ["NFC", "NFD"])
@pytest.mark.parametrize("typed_as", ["NFC", "NFD"])
def test_passwords(door: Door, services: Services, set_as: Form, typed_as: Form) -> None:
    made = {"email": "zoe@example.com", "password": unicodedata.normalize(set_as, PASSWORD)}
    assert door.post("/v1/signup", json=made).status_code == 201
    typed = unicodedata.normalize(typed_as, PASSWORD).replace(" ", "\u00a0")
    assert door.post("/v1/login", json=made | {"password": typed}).status_code == 200
    assert door.post("/v1/login", json=made | {"password": typed.upper()}).status_code == 401


@pytest.mark.parametrize("hashed_as", ["NFC", "NFD"])
@pytest.mark.parametrize("typed_as", ["NFC", "NFD"])
def test_hashes_of_older_versions_are_accepted_and_rewritten(
    door: Door, services: Services, hashed_as: Form, typed_as: Form
) -> None:
    account = {"email": "zoe@example.com", "password": PASSWORD}
    assert door.post("/v1/signup", json=account).status_code == 201

    def hashed() -> str:
        with services.db.statement() as connection:
            return str(connection.exec_driver_sql("SELECT password_hash FROM users").scalar_one())

    older = service._hasher.hash(unicodedata.normalize(hashed_as, PASSWORD))
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET password_hash = %s", (older,))
    typed = account | {"password": unicodedata.normalize(typed_as, PASSWORD)}
    assert door.post("/v1/login", json=typed).status_code == 200
    assert service._hasher.verify(hashed(), PASSWORD), "rewritten in NFC"
    assert (hashed() == older) == (hashed_as == "NFC")
    assert door.post("/v1/login", json=account).status_code == 200


def test_the_length_of_a_password_is_that_of_what_is_meant(door: Door, services: Services) -> None:
    eleven = unicodedata.normalize("NFD", "\u00e9\u00f1\u00fc\u00e7\u00f8\u00e5xqzjw")
    refused = door.post("/v1/signup", json={"email": "zoe@example.com", "password": eleven}).json()
    assert [(error["field"], error["code"], error["limit"]) for error in refused["errors"]] == [
        ("password", "too_short", 12)
    ]
    long = unicodedata.normalize("NFD", "\u00e9\u00f1\u00fc x" * 25)
    assert door.post("/v1/signup", json={"email": "zoe@example.com", "password": long}).status_code == 201
