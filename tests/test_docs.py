"""The lists in the README are those of the code."""

import re
from dataclasses import fields
from pathlib import Path

from shared.errors import error_classes
from shared.settings import Settings

README = Path(__file__).parent.parent / "README.md"


def rows(pattern: str) -> list[list[str]]:
    """The cells of each table row of the README whose first cell is one back-ticked word of this form."""
    lines = README.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(f"`{pattern}`", row[0])]


def test_the_table_of_errors_is_that_of_the_code() -> None:
    told = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in rows("[a-z_]+") if re.search(r"\d{3}", row[1])]
    assert sorted((code, int(status)) for code, status, _ in told) == sorted(
        (error.code, error.status) for error in error_classes()
    )
    assert all(meaning for _, _, meaning in told)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    variables = {
        f"EASEL_{field.name.upper()}" for field in fields(Settings) if not field.name.endswith(("_key", "_token"))
    }
    told = [row[0].strip("`") for row in rows("EASEL_[A-Z0-9_]+")]
    assert len(set(told)) == len(told)
    assert set(told) >= variables, variables - set(told)
    read = "".join(path.read_text(encoding="utf-8") for path in (README.parent / "local").glob("*.py"))
    unknown = {name for name in told if name not in variables and name not in read}
    assert unknown == set()


def test_every_error_has_its_own_code_and_words() -> None:
    errors = error_classes()
    assert len({error.code for error in errors}) == len(errors)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code) for error in errors)
    assert all(error.title.endswith((".", "'.")) for error in errors)
    assert all(400 <= error.status < 600 for error in errors)


def test_the_painted_prompts_stand_under_their_sheet() -> None:
    docs = README.parent / "docs"
    listed = re.findall(r"^\d+\. (.+)$", (docs / "generator.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == (docs / "prompts.txt").read_text(encoding="utf-8").splitlines()
