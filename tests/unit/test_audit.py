"""The audit of the locked packages: what it says when there is something, and when the data cannot be reached."""

import json
from pathlib import Path

import pytest

from infra import audit

FOUND = {"name": "one", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SOUND = {"name": "two", "version": "1", "vulns": []}
UNKNOWN = {"name": "three", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SOUND], 0, "1 packages audited, 0 without data."),
        ([SOUND, FOUND], audit.FOUND, "one 1: PYSEC-1, fixed in 2"),
        ([SOUND, UNKNOWN], audit.UNREACHABLE, "cannot be reached"),
        ([FOUND, UNKNOWN], audit.FOUND, "cannot be reached"),
        (None, audit.UNREACHABLE, "not audited. no network"),
    ],
)
def test_what_was_found_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packages: object, code: int, words: str
) -> None:
    uvx = tmp_path / "uvx"
    answer = "echo no network >&2" if packages is None else f"echo '{json.dumps({'dependencies': packages})}'"
    uvx.write_text(f"#!/bin/sh\n{answer}\n")
    uvx.chmod(0o700)
    assert audit.main([str(uvx), "app.txt"]) == code
    assert words in capsys.readouterr().out
