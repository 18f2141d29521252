"""The S3 servers available on this machine, each with its provisioning."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.ports import free_port
from local.process import Part
from local.servers import base_environment, embedded_servers, http_answers
from local.stack import Stack, running
from shared.core.settings import Settings
from tests.support.paths import ROOT

PROVISION = ROOT / "localstack" / "provision.py"
LOCALSTACK = ROOT / ".venv" / "localstack" / "bin" / "python"
ORIGIN = "http://127.0.0.1:8080"
FRIEND = "https://friend.example.com"
KEYS = {"AWS_ACCESS_KEY_ID": "easel-test", "AWS_SECRET_ACCESS_KEY": "easel-test-secret"}
# LocalStack always checks presigned URLs against this secret.
LOCALSTACK_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
WANTED = {
    "EASEL_MAIL_EVENTS_URL": "sqs://sqs.example.com/000000000000/easel-mail-events",
    "EASEL_S3_BUCKET": "easel-suite",
    "EASEL_PUBLIC_URL": ORIGIN,
    "EASEL_CORS_ORIGINS": FRIEND,
    "EASEL_MAIL_FROM": "Easel <pictures@example.com>",
    "EASEL_DATABASE_URL": "postgresql+psycopg2://easel:secret@database.example.com/easel",
}


def settings_of(env: dict[str, str]) -> Settings:
    """Return Easel's settings for this server; the storage needs no database and no broker."""
    return Settings.from_environment({"EASEL_BROKER_URL": "redis://127.0.0.1:9/0", **WANTED, **env})


def provision(env: dict[str, str], *parts: str) -> list[str]:
    """Run the script as a deployment does; return its lines, each a thing and its outcome."""
    argv = [sys.executable, str(PROVISION), *parts]
    environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **WANTED, **env}
    done = subprocess.run(argv, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@contextmanager
def gate(home: Path) -> Iterator[dict[str, str]]:
    """Start MiniStack behind Easel's gate, as on a laptop."""
    with embedded_servers(home, ("s3",), ORIGIN, f"{FRIEND}, ") as env:
        yield env


@contextmanager
def ministack(home: Path) -> Iterator[dict[str, str]]:
    """Start MiniStack without the gate, as the replacement of LocalStack."""
    env = {
        **KEYS,
        "BIND_HOST": "127.0.0.1",
        "SERVICES": "s3,sqs,ses,secretsmanager",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
    }
    port = free_port()
    argv = (sys.executable, "-m", "ministack")
    with _served(home, "ministack", argv, env | {"GATEWAY_PORT": str(port)}, port, "/_ministack/health") as endpoint:
        yield endpoint | {"AWS_ENDPOINT_URL": endpoint["EASEL_S3_ENDPOINT"]}


@contextmanager
def moto(home: Path) -> Iterator[dict[str, str]]:
    """Start moto's server, which mocks all of AWS."""
    port = free_port()
    argv = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    with _served(home, "moto", argv, {}, port, "/moto-api/") as endpoint:
        yield endpoint | {"AWS_ENDPOINT_URL": endpoint["EASEL_S3_ENDPOINT"]}


@contextmanager
def localstack(home: Path) -> Iterator[dict[str, str]]:
    """Start LocalStack without Docker. Its ready.d is a copy of this checkout's."""
    if not LOCALSTACK.exists():
        pytest.skip("LocalStack is not installed: `make localstack` does that")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    init = home / "etc" / "localstack" / "init"
    init.parent.mkdir(parents=True)
    init.symlink_to(PROVISION.parent)
    env = {
        **WANTED,
        # As in its container, its own Python is first on the path.
        "PATH": f"{LOCALSTACK.parent}:{os.environ['PATH']}",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "SERVICES": "s3,sqs,ses,secretsmanager",
        "FILESYSTEM_ROOT": str(home),
        "OVERRIDE_IN_DOCKER": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "LS_LOG": "warning",
        "HOME": str(home),
    }
    part = Part(
        name="localstack",
        argv=(str(LOCALSTACK), "-m", "localstack.runtime.main"),
        env=base_environment(home) | env,
        ready=lambda: _localstack_is_ready(endpoint),
        # It has no data that would be worth the seconds of an orderly stop.
        stop_signal=signal.SIGKILL,
        cwd=home,
    )
    with running(Stack([part], home / "log")):
        yield {"EASEL_S3_ENDPOINT": endpoint, "AWS_ENDPOINT_URL": endpoint, **LOCALSTACK_KEYS}


@contextmanager
def minio(home: Path) -> Iterator[dict[str, str]]:
    """Start MinIO. Its CORS rule is a setting of the server, not of a bucket."""
    program = os.environ.get("EASEL_TEST_MINIO") or shutil.which("minio")
    if program is None:
        pytest.skip(
            "MinIO is not on the PATH, and EASEL_TEST_MINIO names none: localstack/README.md says how to get it"
        )
    port = free_port()
    env = {
        "MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"],
        "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"],
        "MINIO_API_CORS_ALLOW_ORIGIN": f"{ORIGIN},{FRIEND}",
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "HOME": str(home),
    }
    argv = (program, "server", "--quiet", "--address", f"127.0.0.1:{port}", str(home / "data"))
    with _served(home, "minio", argv, env, port, "/minio/health/live") as endpoint:
        yield endpoint


@contextmanager
def _served(
    home: Path, name: str, argv: tuple[str, ...], env: dict[str, str], port: int, health: str
) -> Iterator[dict[str, str]]:
    part = Part(
        name=name,
        argv=argv,
        env=base_environment(home) | env,
        ready=lambda: http_answers(port, health),
        cwd=home,
    )
    with running(Stack([part], home / "log")):
        yield {"EASEL_S3_ENDPOINT": f"http://127.0.0.1:{port}", **KEYS}


def _localstack_is_ready(endpoint: str) -> bool:
    """Return whether it answers and has run its ready.d."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_localstack/init/ready", timeout=2) as answer:
            return bool(json.load(answer)["completed"])
    except OSError:
        return False
