"""Deliberately broken builds, each of which its test must catch: `make mutants`, or `make mutants ONLY=NAME`.

A mutant is a patch of a line or two in tests/integration/reliability/mutants. Its header names the promise that it
breaks and the test that must then fail, by an assertion and not by an error.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

FOLDER = ROOT / "tests/integration/reliability/mutants"
LIMIT_S = 600


@dataclass(frozen=True)
class Mutant:
    """A patch, the promise that it breaks, and the test that must fail."""

    patch: Path
    promise: str
    test: str


def list_mutants() -> list[Mutant]:
    """Return all mutants, in the order of their names."""
    return [_read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def _read(patch: Path) -> Mutant:
    header = re.match(r"Promise: (.+)\nCaught by: (\S+::.+)\n\n", patch.read_text())
    assert header is not None, f"{patch.name} does not begin with its promise and its test"
    return Mutant(patch, header[1], header[2])


def apply(mutant: Mutant, tree: Path, *options: str) -> bool:
    """Apply the patch to a tree; return whether it fits."""
    command = ["git", "apply", *options, str(mutant.patch)]
    return subprocess.run(command, cwd=tree, capture_output=True, check=False).returncode == 0


def copy_tree(target: Path) -> None:
    """Copy the files of this checkout, with their changes, and link its environment."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")


def judge(mutant: Mutant, tree: Path) -> str:
    """Run the mutant's test in a tree with the patch; return `caught`, or what happened instead."""
    if not apply(mutant, tree):
        return "the patch does not fit"
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "EASEL_TEST_ANY_FAILURE": "1"}
        run = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT_S} s"
    finally:
        apply(mutant, tree, "--reverse")
    if run.returncode == 0:
        return "SURVIVED"
    by_assertion = re.search(r"^E +(AssertionError|assert |Failed: DID NOT RAISE)", run.stdout, re.MULTILINE)
    return "caught" if run.returncode == 1 and by_assertion else f"failed otherwise: {run.stdout[-500:]}"


def main() -> None:
    """Judge the named mutants, or all; exit with 1 unless all are caught."""
    chosen = [mutant for mutant in list_mutants() if not sys.argv[1:] or mutant.patch.stem in sys.argv[1:]]
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="easel-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        for mutant in chosen:
            verdicts.append(judge(mutant, tree))
            print(f"{mutant.patch.stem:32} {verdicts[-1]:10} {mutant.promise}", flush=True)  # noqa: T201
    sys.exit(not verdicts or any(verdict != "caught" for verdict in verdicts))


if __name__ == "__main__":
    main()
