"""Guesses of codes count wherever a request may name one, and behind the limit all codes of others are alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from sqlalchemy import text

from shared.core.settings import Settings
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support import scene_folder
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.poller import Poller

Guess: TypeAlias = Callable[[Door, dict[str, str], str], httpx.Response]
SCENE = {"place": "park", "action": "reading", "gender": "woman", "quality": "draft"}

MOST_GUESSES: int = Settings.model_fields["codes_per_hour"].default
_HAVE = text("""
WITH trained AS (
    INSERT INTO jobs (user_id, state, prompt, settings, cost, turn, protocols, quota_day, progress, finished_at)
    VALUES (:id, 'succeeded', 'Rex', '{}', 1, 0, 'training', '2026-01-01', 1, now()) RETURNING id
) INSERT INTO likenesses (job_id, user_id, code, subject, name, shared, adapter_sha256, adapter_key, expires_at)
SELECT id, :id, :code, 'animal', 'Rex', :shared, repeat('0', 64), 'jobs/none/adapter', now() + interval '90 days'
FROM trained
""")


def post(path: str, body: Callable[[str], dict[str, Any]]) -> Guess:
    return lambda door, headers, code: door.post(path, json=body(code), headers=headers)


WAYS: dict[str, Guess] = {
    "a job": post("/v1/jobs", lambda code: {"prompt": "x", "likeness": code}),
    "a list": post("/v1/jobs", lambda code: {"prompt": "x", "likeness": [{"code": code, "weight": 0.5}]}),
    "a group": post("/v1/batches", lambda code: {"requests": [{"prompt": "x"}, {"prompt": "x", "likeness": code}]}),
    "variants": post("/v1/batches", lambda code: {"request": {"prompt": "x"}, "variants": {"likeness": [code]}}),
    "a dry run": post("/v1/batches", lambda code: {"requests": [{"prompt": "x", "likeness": code}], "dry_run": True}),
    "a scene": post("/v1/scenes", lambda code: SCENE | {"likeness": code}),
    "get": lambda door, headers, code: door.get(f"/v1/likenesses/{code}", headers=headers),
    "patch": lambda door, headers, code: door.patch(f"/v1/likenesses/{code}", json={"shared": True}, headers=headers),
    "delete": lambda door, headers, code: door.delete(f"/v1/likenesses/{code}", headers=headers),
}


@pytest.fixture(autouse=True)
def catalogue(services: Services, poller: Poller, generator: FakeGenerator, tmp_path: Path) -> None:
    """Fill the catalogue of scenes, and let the generator do everything."""
    scene_folder.importer(services, scene_folder.write(tmp_path / "scenes"))()
    generator.extensions = ALL_EXTENSIONS
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE generators SET look_at = clock_timestamp()")
    poller.sweep()
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE generators SET has_adapters = true")


@pytest.fixture
def have(services: Services) -> Callable[..., None]:
    def add(person: Person, code: str, *, shared: bool) -> None:
        with services.db.begin() as connection:
            connection.execute(_HAVE, {"id": person.id, "code": code, "shared": shared})

    return add


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_name_a_code_counts(
    door: Door, ada: Person, bob: Person, have: Callable[..., None], way: str
) -> None:
    guess = WAYS[way]
    have(ada, "11111111", shared=False)
    have(bob, "22222222", shared=True)
    have(bob, "33333333", shared=False)
    wrong = [f"{number:08}" for number in range(MOST_GUESSES - 1)] + ["33333333"]
    assert {guess(door, ada.headers, code).status_code for code in wrong} <= {200, 202, 404}
    refused = [guess(door, ada.headers, code) for code in ("99999999", "22222222", "33333333")]
    assert {response.status_code for response in refused} == {429}
    assert len({response.text for response in refused}) == 1, "a code that works looks like one that does not"
    assert 0 < int(refused[0].headers["retry-after"]) <= 3600
    assert door.get("/v1/likenesses/22222222", headers=ada.headers).status_code == 429
    assert WAYS["a job"](door, ada.headers, "11111111").status_code == 202, "one's own goes on working"
    assert guess(door, bob.headers, "22222222").status_code in (200, 202, 204)


def test_guesses_behind_the_limit_are_not_written(door: Door, ada: Person, services: Services) -> None:
    counted = list[object]()
    for guesses in (range(MOST_GUESSES), range(10)):
        for number in guesses:
            WAYS["get"](door, ada.headers, f"{number:08}")
        with services.db.statement() as connection:
            counted += connection.execute(text("SELECT full_at FROM rate_limits")).scalars().all()
    assert len(counted) == 2
    assert counted[0] == counted[1]


def test_a_shared_code_that_does_not_work_counts(door: Door, ada: Person, bob: Person, services: Services) -> None:
    with services.db.begin() as connection:
        for number in range(MOST_GUESSES):
            connection.execute(_HAVE, {"id": bob.id, "code": f"{number:08}", "shared": True})
        connection.execute(text("UPDATE likenesses SET expires_at = now()"))
    answers = [WAYS["a job"](door, ada.headers, f"{number:08}").status_code for number in range(MOST_GUESSES)]
    assert answers == [202] * MOST_GUESSES
    assert WAYS["a job"](door, ada.headers, "00000000").status_code == 429
