"""Logging: one line of JSON per record, with the request's or the job's id where there is one."""

import logging
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
job_id: ContextVar[str | None] = ContextVar("job_id", default=None)


REPEAT_S = 60.0


class Rarely:
    """Allows each message at most once a minute, for what would be logged at every try."""

    def __init__(self) -> None:
        self._logged_at: dict[str, float] = {}

    def allows(self, message: str) -> bool:
        """Return whether to log the message now; it is named without its arguments."""
        now = time.monotonic()
        if now - self._logged_at.get(message, float("-inf")) < REPEAT_S:
            return False
        self._logged_at[message] = now
        return True


def fields(**values: object) -> dict[str, Any]:
    """Return a record's extra fields: `_log.info("queue", extra=fields(queued=3))`.

    They are kept under one key, because libraries also pass `extra`: theirs may contain any of their objects, and is
    left out.
    """
    return {"fields": values}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object. Callers never log prompts, tokens, passwords or signed URLs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, without the fields that are None."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            "job_id": job_id.get(),
        }
        given = getattr(record, "fields", None)
        if isinstance(given, dict):
            entry |= given
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return to_json({key: value for key, value in entry.items() if value is not None}, fallback=str).decode()


def configure(level: str) -> None:
    """Send every logger's records, and Python's warnings, to standard error in Easel's format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    # No line names the thread or the process, which each record would look up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for chatty in ("celery", "kombu", "mangum", "uvicorn", "urllib3", "botocore"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
