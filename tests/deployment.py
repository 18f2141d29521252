"""The functions deployed to what speaks AWS's protocols: Lambda from the bundle, an HTTP API from the manifest.

On AWS itself Terraform does this. What MiniStack does otherwise than AWS, as far as it shows here:
- it queues the calls of one function instead of starting a second process, and ends no process for being idle;
- it gives functions its own `AWS_SECRET_ACCESS_KEY` and, for the key's id, the account's number;
- it runs them in this machine's Python and on its processor, whatever the function says, in a folder that can be written;
- it decodes the query and encodes it anew, and joins the cookies to one header instead of a list of the event;
- it answers `No route found` where API Gateway says `Not Found`, answers every OPTIONS itself, and allows every origin.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from infra.bundle import Bundle
from local.process import Part
from local.servers import base_environment, free_port, http_answers
from local.stack import Stack, running
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/easel"
CODE_BUCKET = "easel-code"
# Lambda sets these itself; nobody may give them to a function.
RESERVED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")


@dataclass(frozen=True)
class Deployment:
    """All functions under one HTTP API."""

    cloud: "Cloud"
    api_id: str
    names: tuple[str, ...]

    @property
    def url(self) -> str:
        """The API's address. AWS's has the id in the host's name; MiniStack knows this form too, without any DNS."""
        return f"{self.cloud.endpoint}/_aws/execute-api/{self.api_id}/$default"

    def remove(self) -> None:
        """Delete the API and the functions, with their processes."""
        self.cloud.client("apigatewayv2").delete_api(ApiId=self.api_id)
        for name in self.names:
            self.cloud.client("lambda").delete_function(FunctionName=name)


class Cloud:
    """An AWS-like endpoint that holds the bundle."""

    def __init__(self, endpoint: str, secret_key: str) -> None:
        self.endpoint = endpoint
        self._secret_key = secret_key
        self._clients: dict[str, Any] = {}
        self._code: dict[Path, str] = {}

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(ACCOUNT, self._secret_key, region_name=REGION)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
            self._clients[service] = self._session.client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[service]

    def deploy(self, bundle: Bundle, environment: Mapping[str, str]) -> Deployment:
        """Create every function of the manifest and the HTTP API with its routes; functions start at their first call."""
        prefix = f"easel-{uuid4().hex[:8]}"
        routes = json.loads((ROOT / "functions/manifest.json").read_text())
        gateway = self.client("apigatewayv2")
        api_id = gateway.create_api(Name=prefix, ProtocolType="HTTP")["ApiId"]
        targets: dict[str, str] = {}
        for route in routes:
            name = route["name"]
            if name not in targets:
                limits = [other for other in routes if other["name"] == name]
                arn = self._create_function(f"{prefix}-{name}", name, limits, bundle, environment)
                integration = gateway.create_integration(
                    ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
                )
                targets[name] = f"integrations/{integration['IntegrationId']}"
            gateway.create_route(ApiId=api_id, RouteKey=f"{route['method']} {route['path']}", Target=targets[name])
        gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        return Deployment(self, api_id, tuple(f"{prefix}-{name}" for name in targets))

    def _create_function(
        self, name: str, module: str, limits: list[dict[str, Any]], bundle: Bundle, environment: Mapping[str, str]
    ) -> str:
        answer = self.client("lambda").create_function(
            FunctionName=name,
            Runtime=f"python{bundle.target.python_version}",
            Architectures=[bundle.target.arch],
            Role=ROLE,
            Handler=f"functions.{module}.handler",
            Code={"S3Bucket": CODE_BUCKET, "S3Key": self._upload(bundle)},
            Timeout=max(route["timeout_s"] for route in limits),
            MemorySize=max(route["memory_mb"] for route in limits),
            Environment={"Variables": {name: value for name, value in environment.items() if name not in RESERVED}},
        )
        return str(answer["FunctionArn"])

    def _upload(self, bundle: Bundle) -> str:
        if bundle.path not in self._code:
            storage = self.client("s3")
            storage.create_bucket(Bucket=CODE_BUCKET)
            storage.upload_file(str(bundle.path), CODE_BUCKET, "functions.zip")
            self._code[bundle.path] = "functions.zip"
        return self._code[bundle.path]


@contextmanager
def emulated_cloud(home: Path, secret_key: str) -> Iterator[Cloud]:
    """MiniStack with Lambda and HTTP APIs on a free port of 127.0.0.1. Its functions sign with ACCOUNT and this secret
    key. All of it, with the functions' processes, is gone after the block."""
    port = free_port()
    part = Part(
        name="lambda",
        argv=(sys.executable, str(ROOT / "tests/lambda_server.py")),
        env={
            **base_environment(home),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "SERVICES": "lambda,apigateway,s3,logs",
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # It looks for containers of its own to clear away; there are none of them here.
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        },
        ready=lambda: http_answers(port, "/_ministack/health"),
        grace_s=10,
        cwd=home,
    )
    with running(Stack([part], home / "log")):
        yield Cloud(f"http://127.0.0.1:{port}", secret_key)


def function_environment(settings: Settings) -> dict[str, str]:
    """These settings as a function's variables; the storage's keys are those of its role."""
    variables = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value not in ("", None, ()) and not field.name.startswith(("s3_access", "s3_secret", "s3_session")):
            variables[f"EASEL_{field.name.upper()}"] = ",".join(value) if isinstance(value, tuple) else str(value)
    del variables["EASEL_DATABASE_POOL"]  # a function keeps one connection
    return variables
