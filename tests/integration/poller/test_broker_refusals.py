"""A worker whose Redis restarts, or accepts connections and refuses what is sent over them: its jobs go on."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cli import check_services
from cli.checks import Level
from local.site import worker_answers
from shared.clients.broker import QUEUE
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.own_redis import REFUSALS, count_errors, killable_redis, own_redis
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World, with_settings

RESTARTS = 5


@contextmanager
def wake_ups(services: Services) -> Iterator[None]:
    """Send wake-ups, one after the other, whether they arrive or not."""
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.02):
            services.wake_ups._broken_until = 0.0
            services.wake_ups.wake()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_worker_outlasts_a_broker_that_restarts_and_refuses(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    """A job that is submitted meanwhile goes on, without wake-ups and with the same processes."""
    log = tmp_path / "worker.log"

    def do_a_job(when: str) -> None:
        job_id = world.submit(world.user())
        until(lambda: world.state(job_id) == "succeeded", f"a job {when}")

    with killable_redis() as (url, server, process):
        settings = environment | {"EASEL_GENERATORS": generator.setting, "EASEL_BROKER_URL": url}
        services = with_settings(world.services, broker_url=url)
        with closing(services.celery), program(settings, log, "worker") as worker:
            do_a_job("before")
            children = worker.children
            with wake_ups(services):
                for _ in range(RESTARTS):
                    until(lambda: worker_answers(url), "the worker answers")
                    process.restart()
                process.kill()
                do_a_job("without a broker")
                process.start()
                for code, refuse in REFUSALS.items():
                    until(lambda: worker_answers(url), "the worker answers again")
                    recover = refuse(server)
                    until(lambda code=code: count_errors(server, code) >= 3, f"it is refused: {code}")  # type: ignore[misc]
                    do_a_job(f"while the broker answers {code}")
                    recover()
            until(lambda: worker_answers(url), "the worker answers at last")
            until(lambda: not server.llen(QUEUE), "the wake-ups are taken")
            assert worker.children == children
            assert worker.stop() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines() if "Connection to broker lost" in line]
    lost = [datetime.fromisoformat(line["at"]) for line in lines]
    assert lost
    assert all(after - before > timedelta(seconds=59) for before, after in pairwise(lost)), "once a minute"


def test_a_cluster_is_refused_in_one_sentence(world: World, environment: dict[str, str]) -> None:
    with own_redis("--cluster-enabled", "yes") as (url, _):
        done = subprocess.run(
            [sys.executable, "-m", "poller", "worker"],
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
