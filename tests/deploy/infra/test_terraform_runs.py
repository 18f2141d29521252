"""Terraform itself, where the provider is available, and the command's message where it is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.terraform.emulator import EmulatorError, copy_of_terraform
from tests.support.configuration import ENVIRONMENTS, MODULES, TERRAFORM
from tests.support.paths import ROOT

TESTED = [folder for folder in MODULES if (folder / "tests").is_dir()]


def names(path: Path) -> str:
    return str(path.relative_to(TERRAFORM))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy Terraform's files into a separate folder. Skips the test if the provider is not available."""
    config = os.environ.get("TF_CLI_CONFIG_FILE")
    if config is None or not Path(config).is_file():
        pytest.skip("TF_CLI_CONFIG_FILE names no file: no mirror of providers is configured")
    folder = tmp_path_factory.mktemp("terraform")
    terraform = copy_of_terraform(TERRAFORM / "environments" / "emulator", folder)
    try:
        terraform.init()
    except EmulatorError as error:
        pytest.skip(str(error))
    # The outputs of `make bundle` and `make site` must exist; their content does not matter here.
    (folder / "dist" / "site").mkdir(parents=True)
    (folder / "dist" / "site" / "index.html").touch()
    (folder / "dist" / "functions.zip").touch()
    return folder / "infra" / "terraform"


def run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments, "-no-color"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", [*MODULES, *ENVIRONMENTS], ids=names)
def test_terraform_finds_it_valid(copy: Path, folder: Path) -> None:
    run(copy / names(folder), "init", "-input=false", "-backend=false")
    run(copy / names(folder), "validate")


@pytest.mark.parametrize("folder", TESTED, ids=names)
def test_terraforms_own_tests_pass(copy: Path, folder: Path) -> None:
    run(copy / names(folder), "init", "-input=false", "-backend=false")
    run(copy / names(folder), "test")


def test_without_a_provider_the_command_says_what_is_missing(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the PATH")
    (tmp_path / "empty").mkdir()
    config = tmp_path / "config"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path / "empty"}"\n  }}\n}}\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "infra.terraform.emulator"],
        cwd=ROOT,
        env=os.environ | {"TF_CLI_CONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("terraform-emulator: The AWS provider is not available")
    assert str(config) in done.stderr
    assert done.stdout == ""
