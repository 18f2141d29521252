"""The generators of API clients, in an environment beside the project's, which is made once."""

import fcntl
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LOCK = ROOT / "requirements" / "clients.txt"
FOLDER = ROOT / ".venv" / "clients"


@cache
def tools() -> Path:
    """Return the folder of the environment's programs. Skips the test if it cannot be installed."""
    with FOLDER.with_suffix(".lock").open("w") as lock:  # another pytest worker may need it at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()
    return FOLDER / "bin"


def _install() -> None:
    stamp = FOLDER / "lock.txt"
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        uv, python = ROOT / ".venv" / "bin" / "uv", FOLDER / "bin" / "python"
        made = _run([uv, "venv", "--quiet", "--clear", "--no-python-downloads", FOLDER]) and _run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", LOCK]
        )
        if not made:
            pytest.skip("the generators of clients cannot be installed here")
        stamp.write_bytes(LOCK.read_bytes())


def _run(command: list[str | Path]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=300).returncode == 0
