"""The lists in the docs are those of the code."""

import ast
import re
from pathlib import Path
from typing import get_args

from shared.core.errors import FieldCode, error_classes
from shared.core.settings import Settings
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
ERRORS, REASONS, SETTINGS = DOCS / "errors.md", DOCS / "reasons.md", DOCS / "settings.md"


def rows(pattern: str, file: Path) -> list[list[str]]:
    """Return the cells of each table row of a file whose first cell is one back-ticked word matching the pattern."""
    lines = file.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(f"`{pattern}`", row[0])]


def test_the_table_of_errors_is_that_of_the_code() -> None:
    listed = [(row[0].strip("`"), row[1].strip("`"), row[2]) for row in rows("[a-z_]+", ERRORS)]
    assert sorted((code, int(status)) for code, status, _ in listed) == sorted(
        (error.code, error.status) for error in error_classes()
    )
    assert all(meaning for _, _, meaning in listed)


def test_the_codes_of_fields_are_those_of_the_code() -> None:
    [paragraph] = re.findall(r"codes of fields: (.+?)\.\n", ERRORS.read_text(encoding="utf-8"), re.DOTALL)
    assert re.findall(r"`([a-z_]+)`", paragraph) == list(get_args(FieldCode))


def test_the_table_of_reasons_is_that_of_the_code() -> None:
    """Reasons are calls of that name, or come from the errors of the generator clients and of the codec.

    One error never becomes a reason: a stopped call waits as WORKER_STOPPED.
    """
    shared = ROOT / "shared"
    codes: set[str] = set()
    for path in shared.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                codes |= {str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    sources = "".join(path.read_text(encoding="utf-8") for path in (shared / "generators").glob("*.py"))
    codes |= set(re.findall(r'"(generator_\w+)"', sources)) - {"generator_stopped"}
    for module in ("codec", "source_rules"):
        codes |= set(re.findall(r'"(picture_\w+)"', (shared / f"images/{module}.py").read_text(encoding="utf-8")))
    listed = [(row[0].strip("`"), row[1]) for row in rows("[a-z0-9_]+", REASONS)]
    assert sorted(code for code, _ in listed) == sorted(codes)
    assert all(meaning.endswith(".") for _, meaning in listed)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    variables = {f"EASEL_{name.upper()}" for name in Settings.model_fields if not name.endswith(("_key", "_token"))}
    listed = [row[0].strip("`") for row in rows("EASEL_[A-Z0-9_]+", SETTINGS)]
    assert len(set(listed)) == len(listed)
    assert set(listed) >= variables, variables - set(listed)
    readers = [*(ROOT / "local").glob("*.py"), ROOT / "shared" / "core" / "settings.py"]
    read = "".join(path.read_text(encoding="utf-8") for path in readers)
    unknown = {name for name in listed if name not in variables and name not in read}
    assert unknown == set()


def test_every_error_has_its_own_code_and_words() -> None:
    errors = error_classes()
    assert len({error.code for error in errors}) == len(errors)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code) for error in errors)
    assert all(error.title.endswith((".", "'.")) for error in errors)
    assert all(400 <= error.status < 600 for error in errors)


def test_the_painted_prompts_are_listed_under_their_sheet() -> None:
    listed = re.findall(r"^\d+\. (.+)$", (DOCS / "generator.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == (DOCS / "prompts.txt").read_text(encoding="utf-8").splitlines()


def test_the_tests_that_keep_a_promise_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (DOCS / "security.md").read_text(encoding="utf-8")))
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_codes_of_sign_ins_are_described_and_have_words() -> None:
    sources = "".join((ROOT / f"shared/accounts/openid{part}.py").read_text() for part in ("", "_provider"))
    codes = set(re.findall(r'"(oidc_[a-z]+(?:_[a-z]+)?)"', sources))
    listed = re.findall(r"^\| `(oidc_[a-z_]+)` \|", (ROOT / "docs" / "accounts.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(codes)
    for language in ("en", "ru"):
        words = (ROOT / f"web/text/account-{language}.js").read_text()
        assert set(re.findall(r'"error\.(oidc_[a-z_]+)":', words)) == codes
