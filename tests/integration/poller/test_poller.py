"""Workers as real processes: they finish jobs after any failure, and stop on request."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import redis
from moto.server import ThreadedMotoServer

from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World

PROMPT = "a lighthouse that nobody may read about"


@pytest.fixture
def settings(environment: dict[str, str], generator: FakeGenerator) -> dict[str, str]:
    """Return the environment of a poller with an empty broker."""
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    return environment | {
        "EASEL_GENERATORS": generator.setting,
        "EASEL_LOG_LEVEL": "DEBUG",
    }


@pytest.fixture(params=["1", "64"])
def at_once(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return the argument that limits the steps in hand, and so the size of a batch."""
    return ("--at-once", str(request.param))


def finished(world: World, state: str = "succeeded") -> int:
    return int(world.sql("SELECT count(*) FROM jobs WHERE state = :state", state=state)[0][0])


class Held:
    """Holds the generator's status calls until the test releases them."""

    def __init__(self, fake: FakeGenerator) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()
        self._waiting: list[str] = []
        usual = fake.answer

        def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
            if path == "/check_status":
                self.asked.set()
                self._waiting.append(path)
                self.go_on.wait(60)
            return usual(method, path, fields)

        fake.answer = answer  # type: ignore[method-assign]

    @property
    def waiting(self) -> int:
        """Return how many calls have come."""
        return len(self._waiting)


@pytest.fixture
def held(generator: FakeGenerator) -> Iterator[Held]:
    held = Held(generator)
    yield held
    held.go_on.set()


def test_thirty_jobs_and_an_empty_broker(
    world: World, settings: dict[str, str], generator: FakeGenerator, tmp_path: Path, at_once: tuple[str, str]
) -> None:
    generator.plan = Plan(polls=1)
    users = [world.user() for _ in range(5)]
    jobs = [world.submit(users[number % 5], prompt=PROMPT) for number in range(30)]
    broker = redis.Redis.from_url(settings["EASEL_BROKER_URL"])
    with (
        program(settings, tmp_path / "worker.log", "worker", *at_once) as worker,
        program(settings, tmp_path / "worker2.log", "worker", *at_once) as other,
    ):
        until(lambda: finished(world) >= 3, "three jobs")
        broker.flushall()
        until(lambda: finished(world) == 30, "all jobs")
        assert [other.stop(), worker.stop()] == [0, 0]
        assert not any(part.left_over for part in (worker, other))
    assert generator.counts["initiated"] == 30
    assert generator.most_in_flight <= generator.max_in_flight
    for job_id in jobs:
        world.check_one_set(job_id, 1)
    world.check_books()
    logs = "".join((tmp_path / name).read_text() for name in ("worker.log", "worker2.log"))
    tokens = [str(row.attempt_token) for row in world.sql("SELECT attempt_token FROM jobs") if row.attempt_token]
    secrets = [PROMPT, "X-Amz-Signature", settings["AWS_SECRET_ACCESS_KEY"], *tokens]
    assert not [secret for secret in secrets if secret in logs]
    records = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    assert {record["job_id"] for record in records if "job_id" in record} == {str(job_id) for job_id in jobs}


def test_a_stopped_worker_finishes_its_step(world: World, settings: dict[str, str], held: Held, tmp_path: Path) -> None:
    job_id = world.submit(world.user())
    with program(settings, tmp_path / "worker.log", "worker") as worker:
        until(held.asked.is_set, "a step")
        worker.process.terminate()
        until(lambda: worker.process.poll() is None, "it waits for the step")
        held.go_on.set()
        assert worker.process.wait(60) == 0
        assert not worker.left_over
    assert world.state(job_id) == "succeeded"
    assert world.row(job_id).crashes == 0


def test_a_child_that_is_killed_is_replaced_and_its_jobs_recover(
    world: World,
    settings: dict[str, str],
    generator: FakeGenerator,
    held: Held,
    tmp_path: Path,
    at_once: tuple[str, str],
) -> None:
    jobs = [world.submit(world.user(), prompt=PROMPT) for _ in range(generator.max_in_flight)]
    in_hand = min(int(at_once[1]), len(jobs))
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1", *at_once) as worker:
        until(lambda: held.waiting == in_hand, "the steps")
        [child] = worker.children
        os.kill(child, signal.SIGKILL)
        for job_id in jobs:
            world.expire_lease(job_id)  # before another child claims any
        held.go_on.set()
        until(lambda: worker.children not in ([], [child]), "another child")
        until(lambda: finished(world) == len(jobs), "the jobs")
        assert worker.stop() == 0
    assert [event for job_id in jobs for event in world.events(job_id)].count("recovered") == in_hand
    for job_id in jobs:
        world.check_one_set(job_id, 1)
    assert PROMPT not in (tmp_path / "worker.log").read_text()


def test_children_that_die_while_they_start_end_nothing(world: World, settings: dict[str, str], tmp_path: Path) -> None:
    with program(settings, tmp_path / "worker.log", "worker") as worker:
        for _ in range(10):
            before = set(worker.children)
            until(lambda before=before: set(worker.children) - before, "a child", every_s=0.01)  # type: ignore[misc]
            for child in worker.children:
                with contextlib.suppress(ProcessLookupError):  # one of the round before, and reaped just now
                    os.kill(child, signal.SIGKILL)
        job_id = world.submit(world.user())
        until(lambda: world.state(job_id) == "succeeded", "a job after them")
        assert worker.stop() == 0


def test_a_frozen_child_holds_up_no_end(world: World, settings: dict[str, str], tmp_path: Path) -> None:
    """Without a limit, the worker would wait for the child, and stay until it is killed."""
    job_id = world.submit(world.user())
    with program(settings, tmp_path / "worker.log", "worker") as worker:
        until(lambda: world.state(job_id) == "succeeded", "it works")
        os.kill(worker.children[0], signal.SIGSTOP)
        worker.process.terminate()
        until(lambda: worker.process.poll() is not None, "the worker has ended", 60)
        assert worker.process.returncode == 0
        until(lambda: not worker.left_over, "the frozen child is gone")


@pytest.mark.parametrize(
    ("name", "value"), [("EASEL_DATABASE_URL", "mysql://a:hidden@b"), ("EASEL_GENERATORS", "http://a:hidden@b")]
)
def test_an_invalid_setting_is_reported_in_one_line(settings: dict[str, str], name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "poller", "worker"],
        env={"PATH": os.environ["PATH"], **settings, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("easel poller: ")
    assert name in line
    assert "hidden" not in line


def test_jobs_finish_over_sqs(world: World, settings: dict[str, str], tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        queue = boto3.client(
            "sqs",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ).create_queue(QueueName="easel")["QueueUrl"]
        broker = queue.replace("http://", "sqs+http://")
        over_sqs = settings | {"EASEL_BROKER_URL": broker, "AWS_DEFAULT_REGION": "us-east-1"}
        jobs = [world.submit(world.user()) for _ in range(3)]
        with program(over_sqs, tmp_path / "worker.log", "worker") as worker:
            until(lambda: finished(world) == 3, "three jobs over SQS")
            assert worker.stop() == 0
    finally:
        server.stop()
    for job_id in jobs:
        world.check_one_set(job_id, 1)
