"""Runs the tests of models that judge and compare in the environment of the diffusion engine, which has torch."""

import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.repeats import repeats

PYTHON = ROOT / ".venv-diffusion" / "bin" / "python"


@pytest.mark.parametrize("name", ["test_sentence_model.py", *repeats("test_vision_language_judge.py")])
def test_in_the_environment_with_torch(tmp_path: Path, name: str) -> None:
    if not PYTHON.exists():
        pytest.skip("the diffusion engine is not installed; `make diffusion` does that")
    file = Path(__file__).with_name(name)
    options = ["-q", "--noconftest", "-p", "no:cacheprovider", "-W", "ignore", f"--basetemp={tmp_path / 'own'}"]
    run = subprocess.run(
        [str(PYTHON), "-m", "pytest", *options, str(file)], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
