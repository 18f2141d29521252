"""A training while its trainer, generator, poller or gateway is killed: one adapter, no photos, right counts."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.part_stack import POLLER, PartStack, part_stack, services_of
from tests.support.photos import photo
from tests.support.training_generator import ENGINE, training_environment
from tests.support.waiting import until

LIMIT_S = 240


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder outside pytest's, which the account of Postgres could not enter."""
    with tempfile.TemporaryDirectory(prefix="easel-training-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[PartStack]:
    with part_stack(folder / "home", EASEL_ENGINE=ENGINE, **training_environment(folder)) as stack:
        with ApiUser(stack.url) as user:
            until(lambda: user.call("GET", "/v1/presets").json()["trains_likenesses"], "it is known to train", LIMIT_S)
        yield stack


@pytest.fixture(scope="module")
def services(stack: PartStack) -> Iterator[Services]:
    with services_of(stack) as services:
        yield services


class Training:
    """A user with five photos, and the likeness that is made of them."""

    def __init__(self, stack: PartStack, services: Services, signs: Path, user: ApiUser) -> None:
        self.stack = stack
        self.services = services
        self.signs = signs
        self.user = user
        self.photos: list[str] = []
        self.likeness: dict[str, Any] = {}
        for sign in signs.iterdir():
            sign.unlink()

    def upload(self) -> None:
        for data in map(photo, range(5)):
            body = {"content_type": "image/jpeg", "size": len(data)}
            form = self.user.call("POST", "/v1/uploads", json=body).json()
            with requests.post(form["url"], data=form["fields"], files={"file": data}, timeout=60) as answer:
                assert answer.status_code in (200, 201, 204), answer.text
            self.photos.append(form["key"])

    def submit(self) -> None:
        """Submit until there is an answer, as a browser does, with one key."""
        body = {"photos": self.photos, "subject": "animal", "consent": True, "name": "Rex"}
        answer = self.user.call("POST", "/v1/likenesses", json=body, headers={"Idempotency-Key": self.photos[0]})
        assert answer.status_code == 202, answer.text
        assert not self.likeness or self.likeness["code"] == answer.json()["code"]
        self.likeness = answer.json()

    def look(self) -> dict[str, Any]:
        answer = self.user.call("GET", f"/v1/likenesses/{self.likeness['code']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_for_the_half(self) -> None:
        until(lambda: self.look()["progress"] == 0.5, "the training is at a half", LIMIT_S)

    def sql(self, query: str, **values: object) -> list[Any]:
        with self.services.db.statement() as connection:
            return list(connection.execute(text(query), values))

    def remote_id(self) -> str | None:
        """Return the generator's id of the training; None while the generator has none."""
        [row] = self.sql("SELECT remote_id FROM jobs WHERE id = :id", id=self.likeness["job_id"])
        found: str | None = row.remote_id
        return found

    def go(self) -> None:
        (self.signs / "go").touch()

    def finish_at_generator(self) -> None:
        """Let the training go on, and wait until its generator has finished it."""
        order = {"id": int(self.remote_id() or 0)}
        self.go()

        def is_finished() -> bool:
            with requests.post(f"{self.stack.generator_url}/check_status", json=order, timeout=30) as answer:
                return "finished" in answer.text.lower()

        until(is_finished, "the generator has finished", LIMIT_S)

    def trainers(self) -> set[int]:
        """Return the ids of the processes that have trained."""
        return {int(path.stem) for path in self.signs.glob("*.pid")}

    def objects(self, prefix: str) -> list[str]:
        return sorted(self.services.storage.sizes_bytes(prefix))

    def check(self) -> None:
        """Wait for the end; check that there is one adapter and no photo, and that the user's counts are right."""
        self.go()
        until(lambda: self.look()["state"] not in ("queued", "training"), "the training has ended", LIMIT_S)
        found = self.look()
        assert found["state"] == "ready", (found, self.user.job(found["job_id"])["timeline"])
        [row] = self.sql("SELECT job_id, adapter_key, user_id FROM likenesses WHERE code = :code", code=found["code"])
        self.sql("UPDATE garbage SET due_at = clock_timestamp() RETURNING 1")
        until(lambda: self.objects(f"jobs/{row.job_id}/") == [row.adapter_key], "one adapter is left", LIMIT_S)
        until(lambda: self.objects(f"uploads/{row.user_id}/") == [], "the photos are gone", LIMIT_S)
        assert not self.sql("SELECT 1 FROM uploads WHERE user_id = :id", id=row.user_id)
        [counts] = self.sql("SELECT queued, running, quota_used FROM users WHERE id = :id", id=row.user_id)
        assert tuple(counts) == (0, 0, 1)
        [one] = self.user.call("GET", "/v1/likenesses").json()["likenesses"]
        assert one["code"] == found["code"]


@pytest.fixture
def sitting(stack: PartStack, services: Services, folder: Path) -> Iterator[Training]:
    with ApiUser(stack.url) as user:
        yield Training(stack, services, folder / "signs", user)


def restart(stack: PartStack, *names: str) -> None:
    stack.kill(*names)
    stack.start(*names)


def test_killed_trainers_are_started_again(sitting: Training) -> None:
    sitting.upload()
    sitting.submit()
    killed: set[int] = set()
    while len(killed) < 2:
        sitting.wait_for_the_half()
        [trainer] = until(lambda: sitting.trainers() - killed, "another trainer works", LIMIT_S)
        os.kill(trainer, signal.SIGKILL)
        killed.add(trainer)
    sitting.check()
    assert len(sitting.trainers()) == 3


def test_a_gateway_killed_at_each_step(stack: PartStack, sitting: Training) -> None:
    sitting.upload()
    restart(stack, "gateway")
    sitting.submit()
    restart(stack, "gateway")
    sitting.submit()
    sitting.wait_for_the_half()
    restart(stack, "gateway")
    sitting.finish_at_generator()
    restart(stack, "gateway")
    sitting.check()
    assert len(sitting.trainers()) == 1


def test_a_poller_killed_while_it_waits_and_while_it_trains(stack: PartStack, sitting: Training) -> None:
    sitting.upload()
    stack.kill(*POLLER)
    sitting.submit()
    stack.start(*POLLER)
    sitting.wait_for_the_half()
    restart(stack, *POLLER)
    sitting.check()
    assert len(sitting.trainers()) == 1


@pytest.mark.long
def test_a_generator_killed_while_it_trains_and_once_it_has(stack: PartStack, sitting: Training) -> None:
    sitting.upload()
    sitting.submit()
    sitting.wait_for_the_half()
    first = sitting.remote_id()
    restart(stack, "generator")
    until(lambda: sitting.remote_id() not in (None, first), "it trains again", LIMIT_S)
    stack.kill(*POLLER)
    sitting.finish_at_generator()
    restart(stack, "generator")
    stack.start(*POLLER)
    sitting.check()
    assert len(sitting.trainers()) == 3


@pytest.mark.long
def test_a_poller_killed_before_it_fetches_and_before_it_records(
    stack: PartStack, services: Services, sitting: Training
) -> None:
    sitting.upload()
    sitting.submit()
    sitting.wait_for_the_half()
    stack.kill(*POLLER)
    sitting.finish_at_generator()
    job_id = sitting.likeness["job_id"]
    with services.db.begin() as connection:
        connection.execute(text("SELECT FROM likenesses WHERE job_id = :id FOR UPDATE"), {"id": job_id})
        stack.start(*POLLER)
        until(lambda: sitting.objects(f"jobs/{job_id}/"), "the adapter is stored", LIMIT_S)
        stack.kill(*POLLER)
    assert sitting.look()["state"] == "training"
    stack.start(*POLLER)
    sitting.check()
    assert len(sitting.trainers()) == 1
