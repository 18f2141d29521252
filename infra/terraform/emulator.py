"""Terraform applied to an emulator on this machine: `make terraform-emulator`.

Starts Postgres and MiniStack on the loopback interface, applies environments/emulator, signs up through the HTTP API's
address, and destroys everything again. Terraform must be on the PATH and able to get the AWS provider: from the
registry, or from a mirror configured in the file that TF_CLI_CONFIG_FILE names.
"""

import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import requests

from local.ports import free_port
from local.process import Part
from local.servers import base_environment, embedded_servers, http_answers
from local.stack import Stack, StackError, running

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = Path(__file__).parent / "environments" / "emulator"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
INIT_LIMIT_S = 300
APPLY_LIMIT_S = 900
CALL_LIMIT_S = 60


class Outputs(TypedDict):
    """The outputs of environments/emulator."""

    api_id: str
    route_keys: list[str]


class User(TypedDict):
    """The account in the API's answers, as far as it is checked."""

    email: str


class Answer(TypedDict, total=False):
    """The fields of the API's answers that are used here."""

    token: str
    user: User


class EmulatorError(Exception):
    """An error for the user: what is missing or what went wrong."""


@dataclass(frozen=True)
class Terraform:
    """Terraform in one environment, with its state and provider in a temporary folder."""

    environment: Path
    folder: Path

    def init(self) -> None:
        """Install the provider.

        Raises:
            EmulatorError: Terraform or the provider is not available; the message says what is missing.
        """
        if shutil.which("terraform") is None:
            raise EmulatorError("Terraform is not on the PATH; 1.11 or later is needed.")
        done = self._run("init", "-input=false", "-no-color", limit_s=INIT_LIMIT_S)
        if done.returncode != 0:
            config = os.environ.get("TF_CLI_CONFIG_FILE")
            named = (
                f"names {config}" + ("" if Path(config).is_file() else ", which is not there")
                if config
                else "is not set"
            )
            raise EmulatorError(
                "The AWS provider is not available: Terraform reaches no registry, and no configured mirror has it "
                f"(TF_CLI_CONFIG_FILE {named}). Terraform's error: {_last_error(done.stderr)}"
            )

    def apply(self, variables: dict[str, str]) -> Outputs:
        """Create everything and return the outputs by name.

        Raises:
            EmulatorError: Terraform failed.
        """
        self._change("apply", variables)
        done = self._run("output", "-json", "-no-color", limit_s=INIT_LIMIT_S)
        found = json.loads(done.stdout)
        return Outputs(api_id=found["api_id"]["value"], route_keys=found["route_keys"]["value"])

    def destroy(self, variables: dict[str, str]) -> None:
        """Remove everything.

        Raises:
            EmulatorError: Terraform failed, or left something in the state.
        """
        self._change("destroy", variables)
        if left := self._run("state", "list", limit_s=INIT_LIMIT_S).stdout.split():
            raise EmulatorError(f"'terraform destroy' left {', '.join(left)}.")

    def _change(self, command: str, variables: dict[str, str]) -> None:
        named = [f"-var={name}={value}" for name, value in variables.items()]
        done = self._run(command, "-auto-approve", "-input=false", "-no-color", *named, limit_s=APPLY_LIMIT_S)
        if done.returncode != 0:
            raise EmulatorError(f"'terraform {command}' failed: {_last_error(done.stderr)}")

    def _run(self, *arguments: str, limit_s: float) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"TF_DATA_DIR": str(self.folder / "data"), "TF_IN_AUTOMATION": "1"}
        return subprocess.run(
            [
                shutil.which("terraform") or "terraform",
                f"-chdir={self.folder / 'infra/terraform/environments' / self.environment.name}",
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
            env=environment,
        )


def copy_of_terraform(environment: Path, folder: Path) -> Terraform:
    """Copy the files and return Terraform on the copy, so that state and lock file stay out of the checkout."""
    left_out = shutil.ignore_patterns("*.tfstate*", ".terraform*", "*.auto.tfvars", "__pycache__")
    shutil.copytree(ROOT / "infra" / "terraform", folder / "infra" / "terraform", ignore=left_out)
    (folder / "functions").mkdir()
    shutil.copy(ROOT / "functions" / "manifest.json", folder / "functions")
    return Terraform(environment, folder)


@contextmanager
def emulator(home: Path) -> Iterator[tuple[str, str]]:
    """Run MiniStack, and Postgres with Easel's tables, for the duration of the block; yield their addresses."""
    port = free_port()
    ministack = Part(
        name="ministack",
        argv=(sys.executable, "-m", "ministack"),
        env={
            **base_environment(home),
            **KEYS,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "SFTP_ENABLED": "0",
        },
        ready=lambda: http_answers(port, "/_ministack/health"),
        cwd=home,
    )
    with embedded_servers(home, ("postgres",)) as settings, running(Stack([ministack], home / "log")):
        tables = {**settings, "EASEL_BROKER_URL": "redis://127.0.0.1:1"}
        _step("alembic", "upgrade", "head", env=tables)
        yield f"http://127.0.0.1:{port}", settings["EASEL_DATABASE_URL"]


def smoke(endpoint: str, host: str | None = None) -> None:
    """Check an API: its health, a sign-up, and the account that it returns afterwards.

    `host` is the name by which the endpoint knows the API.

    Raises:
        EmulatorError: An answer is wrong; the message repeats the first such answer.
    """
    session = requests.Session()
    session.trust_env = False  # a proxy of the network cannot reach this machine's loopback interface
    if host is not None:
        session.headers["Host"] = host
    account = {"email": f"smoke-{secrets.token_hex(8)}@example.com", "password": secrets.token_urlsafe(24)}
    _expect(session.get(f"{endpoint}/v1/health", timeout=CALL_LIMIT_S), 200)
    signed_up = _expect(session.post(f"{endpoint}/v1/signup", json=account, timeout=CALL_LIMIT_S), 201)
    session.headers["Authorization"] = f"Bearer {signed_up['token']}"
    session.cookies.clear()
    me = _expect(session.get(f"{endpoint}/v1/me", timeout=CALL_LIMIT_S), 200)
    if me["user"]["email"] != account["email"]:
        raise EmulatorError("GET /v1/me returns another account than POST /v1/signup.")


def _expect(answer: requests.Response, status: int) -> Answer:
    if answer.status_code != status:
        call = f"{answer.request.method} {answer.request.path_url}"
        raise EmulatorError(f"{call} answered {answer.status_code} instead of {status}: {answer.text[:300]}")
    body: Answer = answer.json()
    return body


def _step(module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=APPLY_LIMIT_S,
    )
    if done.returncode != 0:
        raise EmulatorError(
            f"'python -m {module}' failed: {done.stderr.strip().splitlines()[-1:] or done.stdout[-300:]}"
        )


def _last_error(text: str) -> str:
    """Return Terraform's errors without their frames, as one line."""
    lines = [line.strip("│╷╵ \t") for line in text.splitlines()]
    message = " ".join(line for line in lines if line)
    return message[max(message.find("Error:"), 0) :][:300]


def main() -> None:
    """Apply, check and destroy. Exits with 1 and an error message when something is missing or wrong."""
    try:
        with tempfile.TemporaryDirectory(prefix="easel-terraform-") as name:
            _round(Path(name).resolve())
    except (EmulatorError, StackError, requests.RequestException, subprocess.TimeoutExpired) as error:
        sys.exit(f"terraform-emulator: {error}")


def _round(folder: Path) -> None:
    terraform = copy_of_terraform(ENVIRONMENT, folder)
    terraform.init()
    bundle = folder / "functions.zip"
    arch = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    print("Building the functions' bundle for this machine")
    _step("infra.bundle", "--python", python, "--arch", arch, "--out", str(bundle))
    with emulator(folder / "home") as (endpoint, database_url):
        variables = {"endpoint": endpoint, "database_url": database_url, "bundle": str(bundle)}
        try:
            print(f"Applying to MiniStack at {endpoint}")
            outputs = terraform.apply(variables)
            smoke(endpoint, f"{outputs['api_id']}.execute-api.localhost")
            print(f"{len(outputs['route_keys'])} routes are deployed; health, sign-up and account answer")
        finally:
            terraform.destroy(variables)
    print("Everything was destroyed")


if __name__ == "__main__":
    main()
