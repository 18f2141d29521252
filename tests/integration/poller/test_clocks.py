"""A worker whose clock is wrong: its jobs end, their pictures are stored, and the log names what differs."""

import os
import sys
from pathlib import Path

import pytest
import redis

from shared.testing.fake_generator import FakeGenerator
from tests.support.processes import started
from tests.support.waiting import until
from tests.support.world import World

# Moves the clock of Python's own functions before anything else is imported, and then runs the poller.
SHIFTED = """
import datetime, runpy, sys, time
shift_s = float(sys.argv[1])
seconds = time.time
time.time = lambda: seconds() + shift_s

class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=shift_s)

    @classmethod
    def utcnow(cls):
        return super().utcnow() + datetime.timedelta(seconds=shift_s)

datetime.datetime = Shifted
sys.argv = ["poller", "worker", "--concurrency", "1"]
runpy.run_module("poller", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("shift_s", [3600, 10, -3600])
def test_a_worker_with_a_wrong_clock_does_its_work(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path, shift_s: int
) -> None:
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    log = tmp_path / "worker.log"
    settings = {"PATH": os.environ["PATH"]} | environment | {"EASEL_GENERATORS": generator.setting}
    argv = [sys.executable, "-c", SHIFTED, str(shift_s)]
    user = world.user()
    jobs = [world.submit(user, notify="email") for _ in range(2)]
    with log.open("wb") as file, started(argv, env=settings, stdout=file, stderr=file) as worker:
        until(lambda: {world.state(job_id) for job_id in jobs} == {"succeeded"}, "the jobs")
        until(lambda: not world.sql("SELECT FROM mails"), "their mail")
        until(lambda: "the database's clock is" in log.read_text(), "the log names the difference")
        worker.terminate()
        assert worker.wait(60) == 0
    assert "the storage's clock is" in log.read_text()
    for job_id in jobs:
        world.check_one_set(job_id, 1)
        assert world.row(job_id).attempts == 1
