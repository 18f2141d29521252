"""The mutants fit the code, so that `make mutants` proves something."""

from pathlib import Path

from tests.support import mutants
from tests.support.paths import ROOT


def test_every_mutant_fits_and_names_a_test() -> None:
    found = mutants.list_mutants()
    assert found
    for mutant in found:
        assert mutants.apply(mutant, ROOT, "--check"), f"{mutant.patch.name} does not fit the code any more"
        path, _, test = mutant.test.partition("::")
        assert f"def {test.partition('[')[0]}(" in (ROOT / Path(path)).read_text(), mutant.patch.name
