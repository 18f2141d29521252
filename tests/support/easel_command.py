"""The operator's command in this process, on the tests' servers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.easel import main

Easel = Callable[..., tuple[int, list[str]]]
"""Takes the arguments; returns the exit code and the printed lines, those of standard error last."""


def command(capsys: pytest.CaptureFixture[str]) -> Easel:
    """Return the command, which reads the settings from the environment."""

    def run(*argv: str) -> tuple[int, list[str]]:
        try:
            code = main(argv)
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return code, (printed.out + printed.err).splitlines()

    return run


def objects(easel: Easel, *argv: str) -> list[dict[str, Any]]:
    """Return what the command prints with --json."""
    _, lines = easel(*argv, "--json")
    return [json.loads(line) for line in lines]
