"""Run the commands in this process: easel-generate with the fake service, easel with the tests' servers."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.generate import main
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.easel_command import Easel, command


@pytest.fixture
def fake() -> Iterator[FakeGenerator]:
    with FakeGenerator(plan=Plan(polls=2), extensions=ALL_EXTENSIONS) as fake:
        yield fake


@pytest.fixture
def easel(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Easel:
    """Return the operator's command with the settings of the tests' servers."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EASEL_PUBLIC_URL", "https://easel.example.com")
    return command(capsys)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def run(fake: FakeGenerator, out: Path) -> Callable[..., int]:
    """Return the command against the fake, in this process, without pauses between polls."""
    at_once = threading.Event()
    at_once.set()

    def command(*argv: str, server: str = fake.url) -> int:
        try:
            return main([*argv, "--server", server, "--out", str(out)], pause=at_once)
        except SystemExit as stop:
            return int(stop.code or 0)

    return command
