"""A reference generator whose trainer takes no time, and obeys files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.reference_generator import reference_generator


@contextmanager
def training_generator(folder: Path) -> Iterator[str]:
    """Run a generator whose trainer obeys files in the folder `signs`; yield its address."""
    environment = {"PYTHONPATH": str(ROOT / "generator/tests")}
    for variable, name in (("SIGNS", "signs"), ("EASEL_TRAINING", "training"), ("EASEL_ADAPTERS", "adapters")):
        (folder / name).mkdir()
        environment[variable] = str(folder / name)
    with reference_generator("--engine", "training_engine:Teaching", "--workers", "2", **environment) as address:
        yield address
