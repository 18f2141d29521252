"""A reference generator whose trainer takes no time, and obeys files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.reference_generator import reference_generator

ENGINE = "training_engine:Teaching"


def training_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a generator with this engine, which obeys files in the folder `signs`."""
    environment = {"PYTHONPATH": str(ROOT / "generator/tests")}
    for variable, name in (("SIGNS", "signs"), ("EASEL_TRAINING", "training"), ("EASEL_ADAPTERS", "adapters")):
        (folder / name).mkdir()
        environment[variable] = str(folder / name)
    return environment


@contextmanager
def training_generator(folder: Path) -> Iterator[str]:
    """Run a generator whose trainer obeys files in the folder `signs`; yield its address."""
    with reference_generator("--engine", ENGINE, "--workers", "2", **training_environment(folder)) as address:
        yield address
