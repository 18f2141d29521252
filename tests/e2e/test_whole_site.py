"""`python -m local` as a user starts it: every part, the address, a second start, Ctrl-C, no process left."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests

from local.config import CHECKOUT, PORTS
from local.lock import find_running


def environment(home: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "AWS_"))}
    return {**given, "EASEL_HOME": str(home)}


@contextmanager
def taken_default_ports() -> Iterator[None]:
    """Listen on every default port that is not in use already, for example by another `make run`."""
    with ExitStack() as listeners:
        for _, port in PORTS.values():
            listener = listeners.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                listener.bind(("127.0.0.1", port))
                listener.listen()
        yield


def operate(home: Path, words: str, *argv: str) -> None:
    """Check that the operator's command succeeds and prints these words; it retries until the first sweep."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-m", "local.operate", *argv],
            check=False,
            cwd=CHECKOUT,
            env=environment(home),
            capture_output=True,
            text=True,
            timeout=90,
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert words in done.stdout


def start(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=CHECKOUT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """Return the lines up to the one with these words. A stack that gives up closes its output, which ends the wait."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_works(tmp_path: Path) -> None:
    """With another program on each default port, such as a site of another checkout."""
    home = tmp_path / "home"
    with taken_default_ports():
        site = start(home)
        try:
            lines = read_until(site, "Easel is at ")
            running = find_running(home)
            assert running is not None
            assert f"Easel is at {running.url} " in lines[-1]
            for setting, (part, port) in PORTS.items():
                words = f"Port {port} is taken by another program: the part {part} uses {running.ports[setting]}.\n"
                assert words in lines
            ready = {line.split()[0] for line in lines if " ready in " in line}
            expected = {"initdb", "postgres", "redis", "s3", "bucket", "migrate", "generator", "worker"}
            assert ready >= {*expected, "gateway"}
            with requests.get(f"{running.url}/v1/health", timeout=60) as answer:
                assert answer.json()["status"] == "ok"
            operate(home, "Everything works.", "check")
            operate(home, "gallery@easel.invalid", "jobs", "list")
            second = start(home)
            output, _ = second.communicate(timeout=90)
            assert second.returncode == 1
            assert f"already runs at {running.url}" in output
        finally:
            site.send_signal(signal.SIGINT)
            output, _ = site.communicate(timeout=60)
        assert site.returncode == 0, output
        assert "Everything is stopped." in output
        assert not any(is_listening(port) for port in running.ports.values())
