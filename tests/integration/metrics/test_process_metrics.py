"""The metrics of gateway and worker, as real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from functions.http.manifest import manifest
from local.ports import free_port
from local.servers import http_answers
from shared.metrics.process import BOUNDS_S, OUTCOMES, STEPS, StepBoard
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.processes import Program, program
from tests.support.scraping import Scrape, check_equal_to_the_database, scrape
from tests.support.waiting import until
from tests.support.world import World

DURATION = "easel_step_duration_seconds_count"
REQUESTS = "easel_http_requests_total"


@pytest.fixture
def settings(environment: dict[str, str], generator: FakeGenerator) -> dict[str, str]:
    """Return the environment of programs that serve metrics, with an empty broker."""
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    return environment | {"EASEL_GENERATORS": generator.setting, "EASEL_METRICS_PORT": str(free_port())}


@contextmanager
def gateway(settings: dict[str, str], log: Path) -> Iterator[tuple[Program, int]]:
    port = free_port()
    with program(settings | {"EASEL_PORT": str(port)}, log, module="functions.gateway") as started:
        until(lambda: http_answers(port, "/v1/presets"), "the gateway")
        yield started, port


def succeed(world: World, jobs: int) -> None:
    """Submit jobs and wait until the running worker has finished them."""
    before = count_of_succeeded(world)
    for _ in range(jobs):
        world.submit(world.user())
    until(lambda: count_of_succeeded(world) == before + jobs, "the jobs' success")


def count_of_succeeded(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM jobs WHERE state = 'succeeded'")[0][0])


def fetched(port: int) -> float:
    return Scrape(port).value(DURATION, step="fetch", outcome="succeeded")


def test_a_pool_of_processes_counts_the_same_as_the_database(
    world: World, settings: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    port = int(settings["EASEL_METRICS_PORT"])
    generator.plan = Plan(polls=1)
    with program(settings, tmp_path / "worker.log", "worker") as worker:
        succeed(world, 12)
        until(lambda: fetched(port) == 12, "twelve steps on the board")
        seen = Scrape(port)
        check_equal_to_the_database(seen, world.services)
        assert seen.value(DURATION, step="send", outcome="goes_on") == 12
        assert seen.value(DURATION, step="ask", outcome="goes_on") == 12
        assert seen.value("easel_step_duration_seconds_bucket", step="fetch", le="+Inf") == 12
        assert seen.value("easel_step_duration_seconds_sum", step="fetch") > 0

        # A child's measurements survive it, and its replacement continues them.
        children = worker.children
        for child in children:
            os.kill(child, signal.SIGKILL)
        until(lambda: len(set(worker.children) - set(children)) == 2, "other children")
        assert fetched(port) == 12
        succeed(world, 3)
        until(lambda: fetched(port) == 15, "fifteen steps on the board")
        assert worker.stop() == 0
    with program(settings, tmp_path / "second.log", "worker") as worker:
        succeed(world, 2)
        until(lambda: fetched(port) == 2, "the steps of the new worker alone")
        seen = Scrape(port)
        assert worker.stop() == 0
    assert seen.value("easel_jobs_finished_total", outcome="succeeded") == 17
    check_equal_to_the_database(seen, world.services)


def test_two_workers_at_one_port_both_work(
    world: World, settings: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    with program(settings, tmp_path / "first.log", "worker") as first:
        until(lambda: scrape(int(settings["EASEL_METRICS_PORT"])) is not None, "the first worker's metrics")
        with program(settings, tmp_path / "second.log", "worker") as second:
            until(lambda: "no metrics are served" in (tmp_path / "second.log").read_text(), "the sentence")
            until(lambda: len(second.children) == 2, "the second worker's pool")
            assert first.stop() == 0
            succeed(world, 1)
            assert second.stop() == 0


def test_children_do_not_keep_the_port_of_a_worker_that_was_killed(settings: dict[str, str], tmp_path: Path) -> None:
    port = int(settings["EASEL_METRICS_PORT"])
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: scrape(port) is not None and len(worker.children) == 1, "the worker")
        [child] = worker.children
        until(lambda: not listens(child), "the child lets go of the port")
        assert listens(worker.process.pid)


def listens(pid: int) -> bool:
    """Return whether a process holds a TCP socket that listens on IPv4."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
        except FileNotFoundError:
            continue
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return any(line[3] == "0A" and line[9] in inodes for line in lines)


def test_the_gateway_counts_its_requests(world: World, settings: dict[str, str], tmp_path: Path) -> None:
    with gateway(settings, tmp_path / "gateway.log") as (program, port):
        base, metrics = f"http://127.0.0.1:{port}", int(settings["EASEL_METRICS_PORT"])
        asked = {"/v1/gallery?limit=5": 200, f"/v1/jobs/{'0' * 8}-0000-7000-8000-{'0' * 12}": 401, "/v1/nothing": 404}
        for path, status in asked.items():
            for _ in range(3):
                assert ask(base + path) == status
        assert ask(base + "/", "PROPFIND") == 405
        assert ask(base + "/pictures/some-view") == 200
        until(lambda: sum(_asked_for(Scrape(metrics)).values()) == 11, "every request is counted")
        seen = Scrape(metrics)
        assert ask(f"{base}/metrics") == 200  # one of the site's views, which outsiders may not read
        assert b"easel_http" not in urllib.request.urlopen(f"{base}/metrics", timeout=10).read()
        program.stop()
    assert seen.value(REQUESTS, function="gallery", method="GET", status="200") == 3
    assert seen.value(REQUESTS, function="status", status="401") == 3
    assert seen.value(REQUESTS, function="site", status="404") == 3
    assert seen.value(REQUESTS, method="other", status="405") == 1
    assert seen.value("easel_http_request_duration_seconds_count", function="gallery") == 3
    functions = {route["name"] for route in manifest()} | {"site", "none"}
    for sample in seen.samples:
        assert sample.labels.get("function", "none") in functions
        assert sample.labels.get("method", "GET") in {"GET", "other"}
    check_equal_to_the_database(seen, world.services)
    assert set(seen.by("easel_http_request_duration_seconds_bucket", "le")) == {*map(str, BOUNDS_S), "+Inf"}


def _asked_for(seen: Scrape) -> dict[str, float]:
    """Return the requests by function, without those that waited for the gateway; each is counted after its answer."""
    counts = seen.by(REQUESTS, "function")
    return {name: count for name, count in counts.items() if name != "presets"}


def ask(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_metrics_are_off_by_default(settings: dict[str, str], tmp_path: Path) -> None:
    without = {name: value for name, value in settings.items() if name != "EASEL_METRICS_PORT"}
    with gateway(without, tmp_path / "gateway.log"), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(settings["EASEL_METRICS_PORT"])), 5).close()
    names = {route["name"] for route in manifest()}
    modules = ["functions.gateway", "poller.__main__", *(f"functions.{name}" for name in names)]
    code = f"import sys, {', '.join(modules)}; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_a_board_keeps_every_step_in_its_own_slot() -> None:
    board = StepBoard(3)
    for process in range(3):
        board.use(process)
        for place, (step, outcome) in enumerate((step, outcome) for step in STEPS for outcome in OUTCOMES):
            for bound in (*BOUNDS_S, 1000):
                board.measure(step, outcome, bound)
            board.measure(step, outcome, 0.001 * place)
    series = list(board.read())
    assert [(step, outcome) for step, outcome, _, _ in series] == [(step, o) for step in STEPS for o in OUTCOMES]
    for place, (_, _, counts, seconds) in enumerate(series):
        assert sum(counts) == 3 * (len(BOUNDS_S) + 2)
        assert all(count >= 3 for count in counts)
        assert seconds == pytest.approx(3 * (sum(BOUNDS_S) + 1000 + 0.001 * place))
