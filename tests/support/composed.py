"""docker-compose.yml, read as a file and run as a separate project."""

import json
import os
import re
import secrets
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.ports import free_port
from tests.support.paths import ROOT

FILE = ROOT / "docker-compose.yml"
STORAGES = ("ministack", "minio", "localstack")
BUILD_LIMIT_S = 1500
UP_LIMIT_S = 300
LIMIT_S = 120

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+):-([^}]*)\}")


def composition(**variables: str) -> dict[str, Any]:
    """Return the file as Compose reads it with these variables."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: variables.get(found[1]) or found[2], value)
        if isinstance(value, list):
            return [fill(entry) for entry in value]
        if isinstance(value, dict):
            return {key: fill(entry) for key, entry in value.items()}
        return value

    read: dict[str, Any] = fill(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return read


def bases(dockerfile: Path) -> list[str]:
    """Return the images that a Dockerfile starts from, without its own stages."""
    lines = [line.split() for line in dockerfile.read_text(encoding="utf-8").splitlines() if line.startswith("FROM ")]
    stages = {line[3] for line in lines if len(line) > 3}
    return [line[1] for line in lines if line[1] not in stages]


def run(*argv: str, limit_s: float = LIMIT_S, env: dict[str, str] | None = None) -> str:
    """Return the program's output; an exit code other than 0 is an error that shows the output."""
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL, env=env, cwd=ROOT, check=False
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def has(*argv: str) -> bool:
    """Return whether this program exits with 0."""
    try:
        return shutil.which(argv[0]) is not None and bool(run(*argv) or True)
    except (AssertionError, subprocess.TimeoutExpired):
        return False


@cache
def compose_command() -> tuple[str, ...] | None:
    """Return the command of Compose v2, else of v1, else None."""
    return next((name for name in (("docker", "compose"), ("docker-compose",)) if has(*name, "version")), None)


class Project:
    """The whole site in containers with separate ports, passwords and volumes, and images tagged "test"."""

    def __init__(self, storage: str, folder: Path) -> None:
        command = compose_command()
        assert command is not None
        self.storage = storage
        self.name = f"easel-test-{secrets.token_hex(4)}"
        port, s3_port = free_port(), free_port()
        self.url, self.s3_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{s3_port}"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "AWS_", "COMPOSE_"))
        }
        self.env = kept | {
            "COMPOSE_PROFILES": "" if storage == "ministack" else storage,
            # Compose v1 would otherwise build with the docker program, which ignores the file's build network.
            "COMPOSE_DOCKER_CLI_BUILD": "0" if command == ("docker-compose",) else "1",
            "EASEL_PORT": str(port),
            "EASEL_S3_PORT": str(s3_port),
            "EASEL_PUBLIC_URL": self.url,
            "EASEL_S3_PUBLIC_ENDPOINT": self.s3_url,
            "EASEL_DATABASE_PASSWORD": secrets.token_hex(12),
            "EASEL_S3_SECRET_KEY": secrets.token_hex(12),
        }
        services = composition(COMPOSE_PROFILES=self.env["COMPOSE_PROFILES"])["services"]
        # Images get a separate tag. The host's network may be the only one that reaches a registry.
        over = {
            name: {"image": f"{service['image']}:test", "build": {"network": "host"}}
            for name, service in services.items()
            if "build" in service
        }
        override = folder / f"{self.name}.yml"
        override.write_text(yaml.safe_dump({"services": over}), encoding="utf-8")
        self._command = (*command, "-p", self.name, "-f", str(FILE), "-f", str(override))

    def compose(self, *argv: str, limit_s: float = LIMIT_S) -> str:
        """Return the output of `docker compose ...`."""
        return run(*self._command, *argv, limit_s=limit_s, env=self.env)

    def output(self, *argv: str) -> str:
        """Return the output of a command that may exit with any code."""
        command = [*self._command, *argv]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
            env=self.env,
            cwd=ROOT,
            check=False,
        )
        return done.stdout

    def build(self) -> None:
        """Build each of the file's images once."""
        self.compose("build", "gateway", "web", "generator", "mail", "storage", limit_s=BUILD_LIMIT_S)

    def up(self, *options: str) -> None:
        """Start it as a user does. Returns when the front door is up."""
        self.compose("up", "--detach", "--no-build", *options, limit_s=UP_LIMIT_S)

    def down(self, *options: str) -> None:
        """Remove the containers; the volumes stay unless the options say otherwise."""
        self.compose("down", *options, limit_s=UP_LIMIT_S)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return what the container engine reports about this project's containers."""
        ids = self.compose("ps", "--all", "-q", *([service] if service else [])).split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
        return found

    def log_of(self, container: dict[str, Any]) -> str:
        """Return the log of one container."""
        argv = ["docker", "logs", container["Id"]]
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False
        )
        return done.stdout
