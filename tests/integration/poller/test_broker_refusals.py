"""Worker and beat with a Redis that accepts connections, but refuses what is sent over them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery.schedules import schedule

from cli import check_services
from cli.checks import Level
from local.site import worker_answers
from poller import patient_scheduler
from poller.app import create_app
from poller.patient_scheduler import PatientScheduler
from shared.testing.fake_generator import FakeGenerator
from tests.support.own_redis import own_redis
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World, with_settings


def become_replica(server: redis.Redis) -> None:
    """As after a failover, when another server has become the primary."""
    server.replicaof("127.0.0.1", 9)


def become_primary(server: redis.Redis) -> None:
    server.replicaof("NO", "ONE")


def demand_a_replica(server: redis.Redis) -> None:
    server.config_set("min-replicas-to-write", 1)


def demand_no_replica(server: redis.Redis) -> None:
    server.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize(
    ("refuse", "recover", "words"),
    [
        (become_replica, become_primary, "read only replica"),
        (demand_a_replica, demand_no_replica, "NOREPLICAS"),
    ],
)
def test_a_worker_outlasts_a_broker_that_refuses(
    world: World,
    environment: dict[str, str],
    generator: FakeGenerator,
    tmp_path: Path,
    refuse: Callable[[redis.Redis], None],
    recover: Callable[[redis.Redis], None],
    words: str,
) -> None:
    log, beat_log = tmp_path / "worker.log", tmp_path / "beat.log"
    first, second = world.submit(world.user()), world.submit(world.user())
    with own_redis() as (url, server):
        settings = environment | {"EASEL_GENERATORS": generator.setting, "EASEL_BROKER_URL": url}
        with program(settings, log, "worker") as worker, program(settings, beat_log, "beat") as beat:
            until(lambda: {world.state(first), world.state(second)} == {"succeeded"}, "the jobs")
            refuse(server)
            until(lambda: log.read_text().count(words) >= 3, "the worker tries again and again")
            until(lambda: "no message sent: the broker accepts no messages" in beat_log.read_text(), "beat says so")
            third = world.submit(world.user())
            assert not worker_answers(url)
            assert worker.process.poll() is None
            recover(server)
            until(lambda: world.state(third) == "succeeded", "the next job")
            until(lambda: "takes messages again" in beat_log.read_text(), "beat says so")
            assert "Traceback" not in beat_log.read_text()
            assert [beat.stop(), worker.stop()] == [0, 0]


def test_beat_repeats_a_refusal_after_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "poller.patient_scheduler")
    with own_redis() as (url, server):
        scheduler = PatientScheduler(create_app(with_settings(world.services, broker_url=url)), lazy=True)
        entry = scheduler.Entry(name="any", task="any", schedule=schedule(1.0), app=scheduler.app)
        demand_a_replica(server)
        clock = iter([0.0, 1.0, 59.0, 60.0, 61.0])
        monkeypatch.setattr(patient_scheduler, "monotonic", lambda: next(clock))
        logged = []
        for _ in range(5):
            scheduler.apply_entry(entry)
            logged.append(len(caplog.messages))
        assert logged == [1, 1, 1, 2, 2]
        demand_no_replica(server)
        for _ in range(2):
            scheduler.apply_entry(entry)
    refusal = "no message sent: the broker accepts no messages: it lacks the replicas that it is set to have"
    assert caplog.messages == [refusal, refusal, "the broker takes messages again"]


def test_a_cluster_is_refused_in_one_sentence(world: World, environment: dict[str, str]) -> None:
    with own_redis("--cluster-enabled", "yes") as (url, _):
        for part in ("worker", "beat"):
            done = subprocess.run(
                [sys.executable, "-m", "poller", part],
                env=environment | {"EASEL_BROKER_URL": url, "EASEL_GENERATORS": ""},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (done.returncode, done.stdout) == (1, "")
            [line] = done.stderr.splitlines()
            assert line.startswith("easel poller: EASEL_BROKER_URL names a Redis in cluster mode")
        [finding] = check_services.broker(with_settings(world.services, broker_url=url))
        assert (finding.level, "cluster mode" in finding.message) == (Level.WRONG, True)
