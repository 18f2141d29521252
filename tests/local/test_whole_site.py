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


def start(home: Path, ports: dict[str, int]) -> "subprocess.Popen[str]":
    given = {name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "AWS_"))}
    env = {**given, "EASEL_HOME": str(home), **{name: str(port) for name, port in ports.items()}}
    return subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=CHECKOUT,
        env=env,
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
