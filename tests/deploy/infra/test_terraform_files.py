"""Rules for every file of infra/terraform: it parses, it is formatted, and every variable is described."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.core.settings import Settings
from tests.support.configuration import ENVIRONMENTS, FILES, MODULES, TERRAFORM, Block, blocks, parse, text_of

VARIABLES = blocks("variable")
OUTPUTS = blocks("output")
SECRETS = re.compile(r"^(master_)?password$|^secret_string$|^private_key$|^secret_key$|^token$|^auth_token$")


def names(path: Path) -> str:
    return str(path.relative_to(TERRAFORM))


def test_files_are_formatted() -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not on the PATH: 'terraform fmt' does not run")
    command = [terraform, "fmt", "-check", "-recursive", "-diff", str(TERRAFORM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_file_parses_and_is_short(path: Path) -> None:
    assert parse(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=names)
def test_a_file_names_no_registry(path: Path) -> None:
    assert not re.search(r"registry\.|https://releases\.", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", [*MODULES, *ENVIRONMENTS], ids=names)
def test_versions_are_pinned(folder: Path) -> None:
    [settings] = [block.body for block in blocks("terraform") if block.folder == folder]
    assert settings["required_version"] == ">= 1.11"  # write-only arguments
    [providers] = settings["required_providers"]
    assert providers["aws"]["source"] == "hashicorp/aws"
    assert providers["aws"]["version"] == ("~> 6.25.0" if folder in ENVIRONMENTS else ">= 6.25, < 7")


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda block: block.address)
def test_a_variable_is_typed_described_and_checked(variable: Block) -> None:
    assert variable.body.get("type"), "no type"
    assert re.match(r"[A-Z0-9].*\.$", variable.body.get("description", ""), re.DOTALL), "no description"
    checks = variable.nested("validation")
    assert variable.body["type"].strip("${}") == "bool" or checks, "no validation"
    assert all(check["error_message"].endswith(".") for check in checks)


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda block: block.address)
def test_an_output_is_described(output: Block) -> None:
    assert re.match(r"[A-Z].*\.$", output.body.get("description", ""), re.DOTALL)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda block: block.address)
def test_a_secret_is_ephemeral_and_has_no_default(variable: Block) -> None:
    """An ephemeral value can reach only write-only arguments: it is in no plan, no state and no function."""
    secret = variable.body.get("sensitive") or re.search(r"password|secret$|token", variable.labels[0])
    if secret:
        assert variable.body["ephemeral"] is True
        assert variable.body["sensitive"] is True
        assert variable.body.get("default") in (None, "null")


def attributes(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [*value.items(), *(pair for inner in value.values() for pair in attributes(inner))]
    if isinstance(value, list):
        return [pair for inner in value for pair in attributes(inner)]
    return []


@pytest.mark.parametrize("block", blocks("resource"), ids=lambda block: block.address)
def test_no_resource_takes_a_secret_that_terraform_would_store(block: Block) -> None:
    assert not block.labels[0].startswith("random_")
    assert [name for name, _ in attributes(block.body) if SECRETS.match(name)] == []


def test_the_database_makes_its_own_password() -> None:
    [database] = [block for block in blocks("resource") if block.labels[0] == "aws_db_instance"]
    assert database.body["manage_master_user_password"] is True


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".tf"], ids=names)
def test_every_named_setting_exists(path: Path) -> None:
    """Compared with shared/core/settings.py, whose fields are the settings' names."""
    read = {f"EASEL_{name.upper()}" for name in Settings.model_fields} | {"EASEL_OIDC_CLIENT_SECRET_SECRET"}
    named = set(re.findall(r"\bEASEL_[A-Z0-9]+(?:_[A-Z0-9]+)*\b", text_of(path)))
    assert named - read == set()


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=names)
def test_an_environment_passes_its_modules_what_they_require(folder: Path) -> None:
    for call in (block for block in blocks("module") if block.folder == folder):
        module = (folder / call.body["source"]).resolve()
        asked = {block.labels[0]: block.body for block in VARIABLES if block.folder == module}
        given = set(call.body) - {"source", "count"}
        assert given <= set(asked), call.address
        assert {name for name, body in asked.items() if "default" not in body} <= given, call.address


def test_the_example_names_variables_of_production() -> None:
    production = TERRAFORM / "environments" / "production"
    known = {block.labels[0]: block.body for block in VARIABLES if block.folder == production}
    example = parse(production / "example.tfvars")
    assert set(example) <= set(known)
    assert {name for name, body in known.items() if "default" not in body} <= set(example)


def test_every_skip_of_the_static_scan_has_a_reason() -> None:
    skips = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines() if "checkov" in line]
    assert len(skips) > 10
    assert all(re.search(r"#checkov:skip=CKV2?_AWS_\d+:\S.{20,}$", line) for line in skips)
    assert "skip-check" not in (TERRAFORM / ".checkov.yaml").read_text(encoding="utf-8")
