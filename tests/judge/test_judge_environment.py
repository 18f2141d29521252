"""Runs the test of the vision-language judge in the environment of the diffusion engine, which has torch."""

import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PYTHON = ROOT / ".venv-diffusion" / "bin" / "python"


def test_the_vision_language_judge(tmp_path: Path) -> None:
    if not PYTHON.exists():
        pytest.skip("the diffusion engine is not installed; `make diffusion` does that")
    file = Path(__file__).with_name("test_vision_language_judge.py")
    options = ["-q", "--noconftest", "-p", "no:cacheprovider", "-W", "ignore", f"--basetemp={tmp_path / 'own'}"]
    run = subprocess.run(
        [str(PYTHON), "-m", "pytest", *options, str(file)], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
