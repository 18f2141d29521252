"""The pages of the docs: links lead somewhere, paths exist, decisions are complete."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.unit.test_architecture import LAYERS

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
SECTIONS = ["Context", "Decision", "Rejected"]
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "localstack/README.md", ROOT / "painter/README.md"])
FOLDERS = "bench cli docker docs functions generator infra local localstack migrations painter poller shared tests web"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def text_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900


def test_every_decision_is_complete_and_listed() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| \[(.+?)\]\((\d{4}-[a-z0-9-]+\.md)\) \|", index, re.MULTILINE)
    files = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert [name for _, _, name in listed] == [path.name for path in files]
    for place, ((number, title, name), path) in enumerate(zip(listed, files, strict=True), 1):
        text = path.read_text(encoding="utf-8")
        assert int(number) == int(name[:4]) == place
        assert text.startswith(f"# {number}. {title}\n"), name
        sections = re.findall("^## (.+)$", text, re.MULTILINE)
        assert sections in (SECTIONS, [*SECTIONS, "Revisit"]), name


def test_the_layers_of_the_architecture_are_those_of_the_code() -> None:
    layers: list[set[str]] = []
    for number, package in re.findall(r"^\| (\d*) ?\| `(\w+)` \|", text_of(ROOT / "ARCHITECTURE.md"), re.MULTILINE):
        if number:
            layers.append(set())
            assert int(number) == len(layers)
        layers[-1].add(package)
    assert layers == list(LAYERS)


@each_page
def test_links_between_pages_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in map(anchor_of, re.findall("^#+ (.+)$", text_of(file), re.MULTILINE)), target


@each_page
def test_paths_named_in_the_docs_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # history
    named = set(re.findall(rf"`((?:{FOLDERS.replace(' ', '|')})/[\w./-]*)`", text_of(page)))
    assert {path for path in named if not (ROOT / path).exists()} == set()


@each_page
def test_commands_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", text, re.MULTILINE))
    assert named - targets == set()
