"""Runs the tests of the diffusion engine in its own environment, in one process: loading torch takes a while."""

import os
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "diffusion"
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-diffusion" / "bin" / "python"


def test_the_diffusion_engine(tmp_path: Path) -> None:
    if not (PYTHON.parent.parent / "stamp").exists():
        pytest.skip("the diffusion engine is not installed; `make diffusion` does that")
    command = [
        str(PYTHON),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        f"--basetemp={tmp_path / 'own'}",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    # The tests run beside others: threads that wait must not keep a core busy.
    environment |= {"OMP_WAIT_POLICY": "PASSIVE"}
    command += [str(FOLDER)]
    run = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    last = run.stdout.strip().splitlines()[-1]
    assert " passed" in last
    assert "skipped" not in last
