"""The heartbeat of a worker, by which a container host knows that it works."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from poller.heartbeat import OLD_S, is_fresh
from tests.support.processes import program
from tests.support.waiting import until


def make_old(file: Path) -> None:
    long_ago = time.time() - 2 * OLD_S
    os.utime(file, (long_ago, long_ago))
    assert not is_fresh(file)


def test_it_is_touched_while_the_worker_works_with_a_broker_or_without(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file, log = tmp_path / "heartbeat", tmp_path / "log"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"redis://127.0.0.1:{closed.getsockname()[1]}"
        for broker in (environment["EASEL_BROKER_URL"], nowhere):
            settings = environment | {"EASEL_GENERATORS": "", "EASEL_BROKER_URL": broker}
            with program(settings, log, "worker", "--heartbeat", str(file)) as worker:
                until(lambda: is_fresh(file), "the first sign of life")
                make_old(file)
                until(lambda: is_fresh(file), "the next one")
                assert worker.stop() == 0
            make_old(file)
        assert "Cannot connect" in log.read_text(encoding="utf-8")


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
