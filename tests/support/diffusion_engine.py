"""A reference generator with the diffusion engine and tiny networks, in the environment that has torch."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.reference_generator import reference_generator

PYTHON = ROOT / ".venv-diffusion" / "bin" / "python"

_SAVE = """
import sys, pathlib, tiny_models
model, controlnet = map(pathlib.Path, sys.argv[1:])
tiny_models.save(model)
tiny_models.save_controlnet(controlnet, model)
"""


@contextmanager
def diffusion_engine(folder: Path, *, has_controlnet: bool = False, **environment: str) -> Iterator[str]:
    """Save the networks in a folder and run a generator with them; yield its address.

    Skips the test where the engine is not installed.
    """
    if not (PYTHON.parent.parent / "stamp").exists():
        pytest.skip("the diffusion engine is not installed; `make diffusion` does that")
    model, controlnet = folder / "tiny", folder / "controlnet"
    command = [str(PYTHON), "-W", "ignore", "-c", _SAVE, str(model), str(controlnet)]
    subprocess.run(command, check=True, cwd=ROOT / "generator" / "tests", capture_output=True)
    own = {"EASEL_MODEL": str(model), "XDG_CACHE_HOME": str(folder), "OMP_WAIT_POLICY": "PASSIVE"}
    own |= {"EASEL_CONTROLNET": str(controlnet)} if has_controlnet else {}
    with reference_generator("--engine", "diffusion", python=str(PYTHON), **own | environment) as url:
        yield url
