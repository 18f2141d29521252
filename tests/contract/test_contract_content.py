"""Rules about words: every request that would bring them to a generator is refused, and costs nothing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.core.content_rules import read_rules
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person

RULES = """
version = "2026-11"
[[rules]]
reason = "No pets here."
words = ["cat*", "котик"]
"""
Post = Callable[..., httpx.Response]


@pytest.fixture
def door(asgi_door: Door) -> Door:
    """Open the gateway alone: the rules are below the doors."""
    return asgi_door


@pytest.fixture
def ruled(asgi_doors: Doors, with_settings: Callable[..., Services], door: Door) -> Door:
    """Open the same site with rules."""
    return asgi_doors.open(with_settings(content_rules=read_rules(RULES)))


@pytest.fixture
def post(ruled: Door, ada: Person) -> Post:
    def send(path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        headers = ada.headers | ({"Idempotency-Key": key} if key else {})
        return ruled.post(path, json=body, headers=headers)

    return send


def rejected(response: httpx.Response) -> dict[str, str]:
    """Return the fields of a refusal with their messages."""
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "prompt_rejected"), response.text
    assert {error["code"] for error in problem["errors"]} == {"prompt_rejected"}
    assert "2026-11" in problem["detail"]
    assert "cat*" not in response.text
    return {error["field"]: error["message"] for error in problem["errors"]}


def spent(services: Services) -> list[Any]:
    """Return what requests leave in the database."""
    with services.db.statement() as connection:
        query = text(
            "SELECT (SELECT count(*) FROM jobs), (SELECT sum(quota_used) FROM users), (SELECT count(*) FROM uploads)"
        )
        return [*connection.execute(query).one()]


@pytest.mark.parametrize("prompt", ["a cat", "a dog | two CATS", "с\u200bаt", "К о т и к", "ко\u0301тик"])
def test_a_prompt_with_forbidden_words_is_refused(post: Post, services: Services, prompt: str) -> None:
    before = spent(services)
    assert rejected(post("/v1/jobs", {"prompt": prompt})) == {"prompt": "No pets here."}
    assert spent(services) == before


@pytest.mark.parametrize("prompt", ["a scatter plot", "котики", "a dog"])
def test_other_prompts_are_not(post: Post, prompt: str) -> None:
    assert post("/v1/jobs", {"prompt": prompt, "negative_prompt": "a cat"}).status_code == 202


def test_a_photo_is_not_used_up(post: Post, services: Services, photo: str) -> None:
    before = spent(services)
    body = {"prompt": "a cat", "source_images": [photo]}
    assert rejected(post("/v1/jobs", body)) == {"prompt": "No pets here."}
    assert rejected(post("/v1/stylizations", {"source_image": photo, "styles": ["oil", "ink"], "prompt": "a cat"})) == {
        "prompt": "No pets here."
    }
    assert spent(services) == before
    assert post("/v1/jobs", body | {"prompt": "a dog"}).status_code == 202


@pytest.mark.parametrize("dry_run", [False, True])
def test_each_request_of_a_batch_is_read(post: Post, services: Services, dry_run: bool) -> None:
    requests = [{"prompt": "a dog"}, {"prompt": "a cat"}, {"prompt": "catkin"}]
    response = post("/v1/batches", {"requests": requests, "dry_run": dry_run})
    assert rejected(response) == {"requests.1.prompt": "No pets here.", "requests.2.prompt": "No pets here."}
    assert spent(services)[0] == 0


@pytest.mark.usefixtures("catalogue")
def test_the_words_of_a_scene_are_read(post: Post) -> None:
    body = {"place": "park", "gender": "woman", "quality": "draft"}
    assert rejected(post("/v1/scenes", body | {"action": "reading", "details": "with a cat"})) == {
        "details": "No pets here."
    }
    wanted = {"dynamic_action": True, "action": "reading", "action_prompt": "feeding a cat"}
    assert rejected(post("/v1/scenes", body | wanted)) == {"action_prompt": "No pets here."}


def test_a_description_that_becomes_the_prompt_is_read(
    post: Post, services: Services, submit: Callable[..., dict[str, Any]], finish: Callable[[], None]
) -> None:
    job = submit(describe=True)
    finish()
    with services.db.begin() as connection:
        connection.execute(text("UPDATE images SET description = 'a cat'"))
    assert rejected(post("/v1/jobs", {"from_job": job["id"]})) == {"from_job": "No pets here."}
    assert post("/v1/jobs", {"from_job": job["id"], "prompt": "a dog"}).status_code == 202


def test_a_job_from_before_a_rule_stays_accepted(post: Post, door: Door, ada: Person) -> None:
    body, key = {"prompt": "a cat"}, ada.headers | {"Idempotency-Key": "once"}
    first = door.post("/v1/jobs", json=body, headers=key)
    assert first.status_code == 202
    again = post("/v1/jobs", body, "once")
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    rejected(post("/v1/jobs", body, "twice"))
    group = {"requests": [body]}
    made = door.post("/v1/batches", json=group, headers=ada.headers | {"Idempotency-Key": "group"})
    repeated = post("/v1/batches", group, "group")
    assert (repeated.status_code, repeated.json()["id"]) == (202, made.json()["id"])


def test_no_refused_word_is_logged(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    rejected(post("/v1/jobs", {"prompt": "a cat named Zephyrine"}))
    assert "Zephyrine" not in caplog.text
