"""Single lines of the log: their form, and those of a request through Lambda and of one that breaks."""

import json
import logging
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from fastapi import APIRouter
from mangum import Mangum

from functions.http.app import create_app
from shared.core import log
from shared.services import Services


def line(**extra: Any) -> dict[str, Any]:
    record = logging.getLogger("easel.test").makeRecord(
        "easel.test", logging.INFO, __file__, 1, "said %s", ("so",), None, extra=extra or None
    )
    entry: dict[str, Any] = json.loads(log.JsonFormatter().format(record))
    return entry


def test_a_line_has_its_time_level_and_logger() -> None:
    entry = line()
    assert entry.pop("at").endswith("Z")
    assert entry == {"level": "info", "logger": "easel.test", "message": "said so"}


def test_fields_stand_beside_the_message_and_those_of_libraries_do_not() -> None:
    entry = line(**log.fields(queued=3, none=None), data={"args": ("a secret",)})
    assert entry["queued"] == 3
    assert entry.keys() == {"at", "level", "logger", "message", "queued"}


def test_a_line_names_the_request_and_the_job() -> None:
    tokens = log.request_id.set("r"), log.job_id.set("j")
    try:
        assert (line()["request_id"], line()["job_id"]) == ("r", "j")
        assert line(**log.fields(job_id="another"))["job_id"] == "another"
    finally:
        log.request_id.reset(tokens[0])
        log.job_id.reset(tokens[1])


def test_a_line_is_one_line() -> None:
    record = logging.getLogger("easel.test").makeRecord(
        "easel.test", logging.ERROR, __file__, 1, "two\nlines", (), exception()
    )
    text = log.JsonFormatter().format(record)
    assert "\n" not in text
    assert "ZeroDivisionError" in json.loads(text)["exception"]


def exception() -> Any:
    try:
        return 1 // 0
    except ZeroDivisionError:
        return sys.exc_info()


def event_of(path: str) -> dict[str, Any]:
    """An event of an HTTP API."""
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


def test_a_function_logs_its_request_in_lambda_too(environment: dict[str, str], services: Services) -> None:
    """As a process of its own, as Lambda runs it. Who has a picture's id may see it, so the id is not told."""
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


def test_a_request_that_breaks_is_a_500_with_its_trace(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    router, seen = APIRouter(), []

    @router.get("/v1/breaks/{what}")
    def breaks(what: str) -> None:
        raise RuntimeError

    app = create_app([router], services, lambda *measured: seen.append(measured))
    assert Mangum(app, lifespan="off")(event_of("/v1/breaks/something-private"), None)["statusCode"] == 500
    [fields] = requests_in(caplog)
    assert fields["status"] == 500
    assert [measured[:3] for measured in seen] == [("site", "GET", 500)]
    own = [record for record in caplog.records if record.name.startswith("functions.")]
    assert any(record.exc_info for record in own)
    assert not any("something-private" in log.JsonFormatter().format(record) for record in own)
