"""Single lines of the log: their form, and those of a request through Lambda and of one that breaks."""

import json
import logging
import sys
from typing import Any

import pytest
from fastapi import APIRouter
from mangum import Mangum

from functions import presets
from functions.edge.app import create_app, create_lambda
from shared import log
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


def test_a_function_logs_its_request_in_lambda_too(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = create_lambda(presets.router, services)(event_of("/v1/presets"), None)
    assert answer["statusCode"] == 200
    [fields] = requests_in(caplog)
    assert fields.pop("ms") >= 0
    assert fields == {"method": "GET", "path": "/v1/presets", "function": "presets", "status": 200}


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
    assert any(record.exc_info for record in caplog.records)
    assert "something-private" not in caplog.text
