"""Answers of browsers about passkeys that prove nothing, and attestations."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.services import Services
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, text_of
from tests.support.doors import Door
from tests.support.passkey_calls import (
    EMAIL,
    add,
    answer_with,
    ask,
    begin,
    keep_challenge,
    log_in,
    names,
    outcome,
    send,
    sign_up,
)
from tests.support.people import Person

WRONG = {"password": "another four unusual words"}


@pytest.fixture
def grace(door: Door) -> dict[str, str]:
    """Sign up; return the headers of the session."""
    return sign_up(door)


@pytest.fixture
def phone(door: Door, grace: dict[str, str]) -> Authenticator:
    return add(door, grace)


@pytest.fixture
def adas_phone(door: Door, ada: Person, services: Services) -> Authenticator:
    """Add a passkey of Ada's, whose account needs no slow hash."""
    keep_challenge(services, b"a" * 32, ada.id)
    phone = Authenticator()
    options = {"challenge": text_of(b"a" * 32), "user": {"id": text_of(ada.id.bytes)}}
    assert send(door, ada.headers, phone.make(options)).status_code == 201
    return phone


WRONG_ONES: list[dict[str, Any]] = [
    {"origin": "http://localhost:8081"},
    {"origin": "https://localhost:8080"},
    {"origin": "http://evil.example.com"},
    {"origin": "http://localhost:8080.example.com"},
    {"domain": "example.com"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
]


@pytest.mark.parametrize("wrong", WRONG_ONES, ids=str)
def test_a_wrong_one_is_not_added(door: Door, grace: dict[str, str], wrong: dict[str, Any]) -> None:
    refused = send(door, grace, Authenticator(**wrong).make(begin(door, grace)))
    assert outcome(refused) == (422, "invalid_request")
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("credential", "invalid")
    assert names(door, grace) == []


@pytest.mark.parametrize("wrong", WRONG_ONES, ids=str)
def test_a_wrong_signature_opens_no_session(door: Door, phone: Authenticator, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(phone, name, value)
    assert outcome(log_in(door, phone)) == (401, "bad_credentials")


def test_whatever_is_wrong_gets_the_answer_of_a_wrong_password(door: Door, phone: Authenticator) -> None:
    expected = door.post("/v1/login", json={"email": EMAIL, **WRONG}).content
    unknown = Authenticator(user=phone.user)
    forged = phone.sign(ask(door))
    forged["response"]["signature"] = unknown.sign(ask(door))["response"]["signature"]
    of_nobody = phone.sign(ask(door))
    del of_nobody["response"]["userHandle"]
    of_another = Authenticator(user=b"another", credential_id=phone.credential_id, key=phone.key).sign(ask(door))
    broken = phone.sign(ask(door))
    broken["response"]["authenticatorData"] = "AAAA"
    unasked = phone.sign({"challenge": "x" * 43})
    for bad in (unknown.sign(ask(door)), forged, of_nobody, of_another, broken, unasked, {}, {"id": 7}):
        refused = answer_with(door, bad)
        assert refused.status_code == 401
        assert refused.content == expected, bad
    assert log_in(door, phone).status_code == 200


@pytest.mark.parametrize(
    ("kind", "made", "status"),
    [
        ("packed", {"signs_itself": True}, 201),
        ("packed", {"statement": {"alg": -7, "sig": b"forged"}}, 422),
        ("packed", {"signs_itself": True, "statement": {"x5c": [b"a certificate"]}}, 422),
        ("none", {"statement": {"x5c": [b"a certificate"]}}, 422),
        ("android-safetynet", {"statement": {"ver": "1", "response": b"a.b.c"}}, 422),
        ("tpm", {}, 422),
        ("made up", {}, 422),
    ],
)
def test_who_made_the_authenticator_is_not_asked(
    door: Door, ada: Person, services: Services, kind: str, made: dict[str, Any], status: int
) -> None:
    keep_challenge(services, b"c" * 32, ada.id)
    options = {"challenge": text_of(b"c" * 32), "user": {"id": text_of(ada.id.bytes)}}
    answer = send(door, ada.headers, Authenticator(attestation=kind, **made).make(options))
    assert answer.status_code == status, answer.text


PARTS: list[Any] = ["", "A", "AAAA", "é", "\ud800", 7, None, [], {}, "x" * 100_000]
PARTS += [text_of(part) for part in (b"\xff" * 40, b"\x81" * 30_000, b"\xa0", b"\xa1\x63fmt\x64none", bytes(100))]
PARTS += [text_of(part) for part in (b"{}", b"[]", b"7", b'{"type": 1, "challenge": 7, "origin": 8}', b"[" * 60_000)]


def garbled(whole: dict[str, Any], part: Any) -> Iterator[dict[str, Any]]:
    """Yield an answer with this in place of each of its parts that matter."""
    for name in ("id", "rawId", "type", "response"):
        yield {**whole, name: part}
    for name in whole["response"].keys() - {"transports"}:
        yield {**whole, "response": {**whole["response"], name: part}}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part!a:.20}")
def test_no_answer_is_an_error_of_the_server(
    door: Door, ada: Person, adas_phone: Authenticator, services: Services, part: Any
) -> None:
    challenge = b"c" * 32
    options = {"challenge": text_of(challenge), "user": {"id": text_of(ada.id.bytes)}}
    for bad in garbled(Authenticator().make(options), part):
        keep_challenge(services, challenge, ada.id)
        assert outcome(send(door, ada.headers, bad)) == (422, "invalid_request"), bad
    for bad in garbled(adas_phone.sign(options), part):
        keep_challenge(services, challenge, None)
        assert outcome(answer_with(door, bad)) == (401, "bad_credentials"), bad
    keep_challenge(services, challenge, None)
    assert answer_with(door, adas_phone.sign(options)).status_code == 200
