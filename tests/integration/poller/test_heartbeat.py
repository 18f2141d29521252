"""The heartbeat of worker and beat, by which a container host knows that they work."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.heartbeat import OLD_S, is_fresh
from tests.support.processes import Program, program
from tests.support.waiting import until


def make_old(file: Path) -> None:
    long_ago = time.time() - 2 * OLD_S
    os.utime(file, (long_ago, long_ago))
    assert not is_fresh(file)


@pytest.fixture(params=["worker", "beat"])
def part(request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[Program, Path]]:
    file = tmp_path / "heartbeat"
    settings = environment | {"EASEL_GENERATORS": ""}
    with program(settings, tmp_path / "log", str(request.param), "--heartbeat", str(file)) as running:
        yield running, file


def test_it_touches_the_file_while_it_works(part: tuple[Program, Path]) -> None:
    running, file = part
    until(lambda: is_fresh(file), "the first sign of life")
    make_old(file)
    until(lambda: is_fresh(file), "the next one")
    assert running.stop() == 0


def test_a_worker_without_its_broker_has_no_heartbeat(environment: dict[str, str], tmp_path: Path) -> None:
    file, log = tmp_path / "heartbeat", tmp_path / "log"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"redis://127.0.0.1:{closed.getsockname()[1]}"
        with program(environment | {"EASEL_BROKER_URL": nowhere}, log, "worker", "--heartbeat", str(file)):
            until(lambda: "Cannot connect" in log.read_text(encoding="utf-8"), "it misses the broker")
            assert not is_fresh(file)


def test_the_check_reports_by_its_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"

    def check() -> int:
        command = [sys.executable, "-m", "poller.heartbeat", str(file)]
        return subprocess.run(command, timeout=60, stdin=subprocess.DEVNULL, check=False).returncode

    assert check() == 1
    file.touch()
    assert check() == 0
    make_old(file)
    assert check() == 1


def test_the_check_loads_no_celery() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "poller.heartbeat", "/nowhere"]
    done = subprocess.run(command, timeout=60, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert "celery" not in done.stderr
    assert "shared" not in done.stderr
