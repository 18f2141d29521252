"""docs/deploy.md is correct: its sums add up, and what it names exists."""

import re

import pytest

from tests.support.configuration import MODULES, TERRAFORM, blocks, defaults
from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PRODUCTION = TERRAFORM / "environments" / "production"


def rows(first_cell: str) -> list[list[str]]:
    """Return the rows of the table whose header begins with this cell."""
    table = TEXT[TEXT.index(f"| {first_cell} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.mark.parametrize("column", [1, 2, 3], ids=["idle", "1,000", "100,000"])
def test_the_costs_add_up(column: int) -> None:
    *parts, total = [row for row in rows("what") if len(row) == 5]
    assert total[0] == "**together**"
    assert len(parts) > 10
    assert sum(round(float(row[column]) * 100) for row in parts) == round(float(total[column]) * 100)


def test_every_module_is_documented() -> None:
    assert {row[0].strip("`") for row in rows("module")} == {module.name for module in MODULES}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"terraform output (?:-raw )?(\w+)", TEXT))))
def test_an_output_exists(name: str) -> None:
    assert name in {block.labels[0] for block in blocks("output") if block.folder == PRODUCTION}


@pytest.mark.parametrize("address", sorted(set(re.findall(r"-target=module\.([\w.]+)", TEXT))))
def test_a_target_exists(address: str) -> None:
    module, kind, name = address.split(".")
    assert any(block.folder.name == module and block.labels == (kind, name) for block in blocks("resource"))


def test_the_variables_exist() -> None:
    known = {block.labels[0] for block in blocks("variable") if block.folder == PRODUCTION}
    told = {
        *("generators_secret", "generators_secret_version", "generator_keys", "image_digest", "web_acl_arn"),
        *("kms_key_arn", "requests_per_address"),
        *("reserved_concurrency", "database"),
    }
    assert told <= known
    assert all(name in TEXT for name in told)


def test_the_documented_visibility_timeout_is_the_configured_one() -> None:
    numbers = defaults("queue")
    told = (numbers["visibility_timeout_s"], numbers["task_time_limit_s"])
    assert re.search(r"is {} s\..+\({} s at most\)".format(*told), TEXT, re.DOTALL)


@pytest.mark.parametrize("file", sorted(set(re.findall(r"\]\(([\w./]+\.svg)\)", TEXT))))
def test_a_picture_exists(file: str) -> None:
    assert (ROOT / "docs" / file).read_text(encoding="utf-8").startswith("<svg ")
