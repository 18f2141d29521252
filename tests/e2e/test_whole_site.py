"""`python -m local` as a user starts it: every part, the address, a second start, Ctrl-C, nothing left."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from local.config import CHECKOUT, PORTS
from local.servers import free_port


def environment(home: Path, ports: dict[str, int]) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "AWS_"))}
    return {**given, "EASEL_HOME": str(home), **{name: str(port) for name, port in ports.items()}}


def operate(home: Path, ports: dict[str, int], words: str, *argv: str) -> None:
    """The operator's command for this stack ends well and says these words; the first sweep may be a moment off."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-m", "local.operate", *argv],
            check=False,
            cwd=CHECKOUT,
            env=environment(home, ports),
            capture_output=True,
            text=True,
            timeout=90,
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert words in done.stdout


def start(home: Path, ports: dict[str, int]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=CHECKOUT,
        env=environment(home, ports),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """The lines up to the one with these words; a stack that gives up ends its output, and so the wait."""
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
    ports: dict[str, int] = {}
    while len(set(ports.values())) < len(PORTS):
        ports = {name: free_port() for name in PORTS}
    url = f"http://127.0.0.1:{ports['EASEL_PORT']}"
    site = start(tmp_path / "home", ports)
    try:
        lines = read_until(site, f"Easel is at {url}")
        ready = {line.split()[0] for line in lines if " ready in " in line}
        expected = {"initdb", "postgres", "redis", "s3", "bucket", "migrate", "generator", "worker", "beat", "gateway"}
        assert ready >= expected
        with requests.get(f"{url}/v1/health", timeout=10) as answer:
            assert answer.json()["status"] == "ok"
        operate(tmp_path / "home", ports, "Everything is well.", "check")
        operate(tmp_path / "home", ports, "gallery@easel.invalid", "jobs", "list")
        second = start(tmp_path / "home", ports)
        output, _ = second.communicate(timeout=30)
        assert second.returncode == 1
        assert f"already runs at {url}" in output
    finally:
        site.send_signal(signal.SIGINT)
        output, _ = site.communicate(timeout=60)
    assert site.returncode == 0, output
    assert "Everything is stopped." in output
    assert not any(is_listening(port) for port in ports.values())
