"""The operator's command in this process, on the tests' servers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.easel import main

Easel = Callable[..., tuple[int, list[str]]]
"""Takes the arguments; answers the exit code and the lines that were printed, errors after the rest."""


def command(capsys: pytest.CaptureFixture[str]) -> Easel:
    """The command, which reads the settings from the environment."""

    def run(*argv: str) -> tuple[int, list[str]]:
        try:
            code = main(argv)
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return code, (told.out + told.err).splitlines()

    return run


def objects(easel: Easel, *argv: str) -> list[dict[str, Any]]:
    """What the command prints with --json."""
    _, lines = easel(*argv, "--json")
    return [json.loads(line) for line in lines]
