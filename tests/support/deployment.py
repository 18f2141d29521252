"""The functions deployed to an AWS-compatible endpoint: Lambda from the bundle, an HTTP API from the manifest.

On AWS itself Terraform does this. Where MiniStack differs from AWS, as far as it matters here:
- it queues the calls of one function instead of starting a second process, and ends no process for being idle;
- functions sign with its `AWS_SECRET_ACCESS_KEY` and the account number, instead of a role's keys;
- they always run with this machine's Python and processor, in a writable folder;
- it decodes and re-encodes the query, and joins the cookies into one header instead of a list in the event;
- it answers `No route found` instead of `Not Found`, answers every OPTIONS itself and allows every origin.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from functions.http.manifest import manifest
from infra.bundle import Bundle
from local.ports import free_port
from local.process import Part
from local.servers import base_environment, http_answers
from local.stack import Stack, running
from shared.core.settings import Settings
from tests.support.paths import ROOT

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/easel"
CODE_BUCKET = "easel-code"
# Lambda sets these itself and rejects them in a function's configuration.
RESERVED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")


class Deployment:
    """An HTTP API with functions on these variables. A function's process starts at its first call."""

    def __init__(self, cloud: "Cloud", bundle: Bundle, environment: Mapping[str, str]) -> None:
        self.cloud = cloud
        self._bundle = bundle
        self._variables = {name: value for name, value in environment.items() if name not in RESERVED}
        self._name = f"easel-{uuid4().hex[:8]}"
        gateway = cloud.client("apigatewayv2")
        self._api_id = gateway.create_api(Name=self._name, ProtocolType="HTTP")["ApiId"]
        gateway.create_stage(ApiId=self._api_id, StageName="$default", AutoDeploy=True)
        self._added: set[str] = set()

    @property
    def url(self) -> str:
        """Return the API's address. On AWS the id is in the host name; MiniStack accepts this form too, without DNS."""
        return f"{self.cloud.endpoint}/_aws/execute-api/{self._api_id}/$default"

    def add(self, *names: str) -> None:
        """Create these functions unless they exist, with their routes from the manifest."""
        gateway = self.cloud.client("apigatewayv2")
        for name in names:
            if name in self._added:
                continue
            self._added.add(name)
            routes = [route for route in manifest() if route["name"] == name]
            integration = gateway.create_integration(
                ApiId=self._api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=self._create_function(name, routes),
                PayloadFormatVersion="2.0",
            )
            target = f"integrations/{integration['IntegrationId']}"
            for route in routes:
                for method in (route["method"], "HEAD") if route["method"] == "GET" else (route["method"],):
                    gateway.create_route(ApiId=self._api_id, RouteKey=f"{method} {route['path']}", Target=target)

    def function_name(self, name: str) -> str:
        return f"{self._name}-{name}"

    def remove(self) -> None:
        """Delete the API and the functions, with their processes."""
        self.cloud.client("apigatewayv2").delete_api(ApiId=self._api_id)
        for name in self._added:
            self.cloud.client("lambda").delete_function(FunctionName=self.function_name(name))

    def _create_function(self, name: str, routes: list[dict[str, Any]]) -> str:
        answer = self.cloud.client("lambda").create_function(
            FunctionName=self.function_name(name),
            Runtime=f"python{self._bundle.target.python_version}",
            Architectures=[self._bundle.target.arch],
            Role=ROLE,
            Handler=f"functions.{name}.handler",
            Code={"S3Bucket": CODE_BUCKET, "S3Key": self.cloud.upload(self._bundle)},
            Timeout=max(route["timeout_s"] for route in routes),
            MemorySize=max(route["memory_mb"] for route in routes),
            Environment={"Variables": self._variables},
        )
        return str(answer["FunctionArn"])


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
        """Deploy every function of the manifest under an HTTP API."""
        deployment = Deployment(self, bundle, environment)
        deployment.add(*dict.fromkeys(route["name"] for route in manifest()))
        return deployment

    def upload(self, bundle: Bundle) -> str:
        """Upload the bundle, once, to where Lambda reads code; return its key."""
        if bundle.path not in self._code:
            storage = self.client("s3")
            storage.create_bucket(Bucket=CODE_BUCKET)
            storage.upload_file(str(bundle.path), CODE_BUCKET, "functions.zip")
            self._code[bundle.path] = "functions.zip"
        return self._code[bundle.path]


@contextmanager
def emulated_cloud(home: Path, secret_key: str) -> Iterator[Cloud]:
    """Run MiniStack with Lambda and HTTP APIs on a free port of 127.0.0.1 for the block.

    Its functions sign with ACCOUNT and this secret key, and their processes end with the block.
    """
    port = free_port()
    part = Part(
        name="lambda",
        argv=(sys.executable, str(ROOT / "tests/support/lambda_server.py")),
        env={
            **base_environment(home),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "SERVICES": "lambda,apigateway,s3,logs",
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # It would look for its containers to remove; there are none here.
            "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        },
        ready=lambda: http_answers(port, "/_ministack/health"),
        grace_s=10,
        cwd=home,
    )
    with running(Stack([part], home / "log")):
        yield Cloud(f"http://127.0.0.1:{port}", secret_key)


def function_environment(settings: Settings) -> dict[str, str]:
    """Return these settings as a function's variables; the storage's keys are those of its role."""
    variables = {}
    for name, value in settings:
        if value not in ("", None, ()) and not name.startswith(("s3_access", "s3_secret", "s3_session")):
            variables[f"EASEL_{name.upper()}"] = ",".join(value) if isinstance(value, tuple) else str(value)
    del variables["EASEL_DATABASE_POOL"]  # a function keeps one connection
    return variables
