"""The painter as a package: its entry point and its imports."""

import ast
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

from easel_painter import Painter

PROJECT = Path(__file__).parents[1]
NEEDED = {"easel_painter", "generator", "numpy", "PIL"}


def imported() -> set[str]:
    """Return the full names of all modules that the package imports."""
    names: set[str] = set()
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    return names


def test_the_entry_point_is_the_engine() -> None:
    [found] = entry_points(group="easel.engines", name="painter")
    assert found.load() is Painter
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["easel.engines"] == {found.name: found.value}


def test_it_imports_only_the_interface_of_the_generator() -> None:
    assert {name for name in imported() if name.split(".")[0] == "generator"} == {"generator.engines.base"}


def test_every_library_is_a_declared_dependency() -> None:
    assert {name.split(".")[0] for name in imported()} - sys.stdlib_module_names == NEEDED
