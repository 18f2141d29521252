"""Log lines of requests: in Lambda, and after unexpected errors."""

import json
import logging
import os
import subprocess
import sys
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import APIRouter
from mangum import Mangum
from mangum.types import LambdaContext

from functions.http.app import create_app
from shared.core import log
from shared.services import Services
from tests.support.loops import loop_of_thread


def event_of(path: str) -> dict[str, Any]:
    """Return an event of an HTTP API."""
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "token=a-secret",
        "headers": {"host": "127.0.0.1"},
        "requestContext": {"http": http, "requestId": "event", "stage": "$default", "timeEpoch": 0},
        "isBase64Encoded": False,
    }


def requests_in(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["fields"] for record in caplog.records if record.getMessage() == "request"]


def test_a_function_logs_its_request_in_lambda(environment: dict[str, str], services: Services) -> None:
    """Runs as a separate process, like in Lambda. A picture's id gives access to it, so it is not logged."""
    image_id = str(uuid4())
    code = "import json, sys; from functions.picture import handler; handler(json.loads(sys.argv[1]), None)"
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(event_of(f"/i/{image_id}"))],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    [told] = [json.loads(line) for line in done.stderr.splitlines()]
    assert (told["message"], told["method"], told["status"]) == ("request", "GET", 404)
    assert (told["path"], told["function"]) == ("/i/{image_id}", "picture")
    assert told["ms"] > 0
    assert len(told["request_id"]) == 32
    assert image_id not in done.stderr
    assert done.stdout == ""


def test_an_unexpected_error_is_a_500_with_its_traceback(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    router, seen = APIRouter(), []

    @router.get("/v1/breaks/{what}")
    def breaks(what: str) -> None:
        raise RuntimeError

    app = create_app([router], services, lambda *measured: seen.append(measured))
    with loop_of_thread():
        answer = Mangum(app, lifespan="off")(event_of("/v1/breaks/something-private"), cast(LambdaContext, None))
    assert answer["statusCode"] == 500
    [fields] = requests_in(caplog)
    assert fields["status"] == 500
    assert [measured[:3] for measured in seen] == [("site", "GET", 500)]
    own = [record for record in caplog.records if record.name.startswith("functions.")]
    assert any(record.exc_info for record in own)
    assert not any("something-private" in log.JsonFormatter().format(record) for record in own)
