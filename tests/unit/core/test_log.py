"""Single lines of the log: their form."""

import json
import logging
import sys
from typing import Any

from shared.core import log


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


def test_only_the_projects_fields_are_logged() -> None:
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
