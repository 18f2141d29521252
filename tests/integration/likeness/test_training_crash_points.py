"""One adapter, no photos and right books after a worker is killed at any side effect of a training's steps."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from sqlalchemy import Connection

from shared.clients.storage import Storage
from shared.core.db import Database
from shared.generators.transport import BoundedHttp
from tests.support.photos import Sitter
from tests.support.waiting import until
from tests.support.world import World

MOST = 40


class Killed(BaseException):
    """Raised where a worker is killed."""


class Death:
    """Kills the worker after its `at`th call of another service, or commit. `seen` are those until then."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.seen: list[str] = []
        self._thread = threading.current_thread()

    def pass_by(self, effect: str) -> None:
        if threading.current_thread() is self._thread:
            self.seen.append(effect)
            if len(self.seen) == self.at:
                raise Killed

    def after(self, function: Any, describe: Callable[..., str | None]) -> Callable[..., Any]:
        def mortal(*args: Any, **named: Any) -> Any:
            answer = function(*args, **named)
            if (effect := describe(*args)) is not None:
                self.pass_by(effect)
            return answer

        return mortal

    def around(self, name: str) -> Callable[..., Any]:
        opened = getattr(Database, name)

        @contextmanager
        def mortal(database: Database) -> Iterator[Connection]:
            with opened(database) as connection:
                yield connection
                if name == "begin":  # each statement of the other one has committed by itself
                    self.pass_by("before a commit")
            self.pass_by("after a commit")

        return mortal


def _call(_: BoundedHttp, method: str, path: str, *__: object) -> str | None:
    """Return the name of a call of the generator; None for one that is made only now and then."""
    name = f"{method} {path.partition('/adapters/')[1] or path}"
    return None if path == "/health" else name


def step_and_die(world: World, job_id: UUID, at: int) -> list[str] | None:
    """Do a step of a job in which the worker dies; return the effects until then, None if it has fewer."""
    death = Death(at)
    world.hurry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Storage, "put", death.after(Storage.put, lambda *_: "an object"))
        patch.setattr(BoundedHttp, "send", death.after(BoundedHttp.send, _call))
        for name in ("begin", "statement"):
            patch.setattr(Database, name, death.around(name))
        try:
            world.poller.advance(job_id)
        except Killed:
            return death.seen
    return None


def queued(world: World, job_id: UUID, signs: Path, teacher: str) -> None:
    """Leave the job at the dispatcher's: it has a place and was not sent."""
    assert job_id in world.poller.start()


def training(world: World, job_id: UUID, signs: Path, teacher: str) -> None:
    """Send the job; its training waits at a half."""
    queued(world, job_id, signs, teacher)
    world.step(job_id)
    assert world.row(job_id).remote_id is not None


def trained(world: World, job_id: UUID, signs: Path, teacher: str) -> None:
    """Send the job, and wait until its training has finished."""
    training(world, job_id, signs, teacher)
    (signs / "go").touch()

    def is_finished() -> bool:
        order = {"id": int(world.row(job_id).remote_id)}
        with requests.post(f"{teacher}/check_status", json=order, timeout=30) as answer:
            return "finished" in answer.text.lower()

    until(is_finished, "the training has finished", 120)


@pytest.mark.parametrize(
    ("bring", "effects"),
    [
        (queued, ["after a commit", "POST /train", "after a commit"]),
        (training, ["after a commit", "POST /check_status", "after a commit"]),
        (
            trained,
            [
                "after a commit",
                "POST /check_status",
                "POST /get_results",
                "GET /adapters/",
                "an object",
                "before a commit",
                "after a commit",
                "after a commit",
            ],
        ),
    ],
)
def test_killed_at_any_side_effect(
    world: World,
    signs: Path,
    teacher: str,
    monkeypatch: pytest.MonkeyPatch,
    bring: Callable[[World, UUID, Path, str], None],
    effects: list[str],
) -> None:
    # Looking at the photos takes longer than the rest, and is tested elsewhere.
    monkeypatch.setattr("shared.likeness.service.check_photos", lambda *_: None)
    met: list[str] = []
    for at in range(1, MOST):
        sitter = Sitter(world)
        found = sitter.sit(key="k")
        (signs / "go").unlink(missing_ok=True)
        bring(world, found.id, signs, teacher)
        before = {path.name for path in signs.glob("*.pid")}
        seen = step_and_die(world, found.id, at)
        (signs / "go").touch()
        world.expire_lease(found.id)
        world.finish(found.id)
        check_one_adapter(world, sitter, found.code, met)
        began = {path.name for path in signs.glob("*.pid")} - before
        assert len(began) <= 1, "the generator knows the job by its key"
        if seen is None:
            break
        met = seen
    assert met == effects


def check_one_adapter(world: World, sitter: Sitter, code: str, met: list[str]) -> None:
    found = sitter.get(code)
    assert found.state == "ready", (met, world.timeline(found.id))
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    while world.poller.collect():
        pass
    [row] = world.sql("SELECT adapter_key, adapter_sha256 FROM likenesses WHERE job_id = :id", id=found.id)
    storage = world.services.storage
    assert list(storage.sizes_bytes(f"jobs/{found.id}/")) == [row.adapter_key], met
    assert not storage.sizes_bytes(f"uploads/{sitter.id}/"), met
    assert not world.sql("SELECT FROM uploads UNION ALL SELECT FROM job_sources")
    world.check_books()
    [user] = world.sql("SELECT queued, running, quota_used FROM users WHERE id = :id", id=sitter.id)
    assert tuple(user) == (0, 0, 1), met
