"""kombu's transport over Redis, for a worker that no message ends.

kombu parses what it took from the list inside Celery's loop, and every error there ends the worker. A message of Easel
says only which task: nothing else of it reaches Celery.
"""

import logging
from typing import Any
from uuid import uuid4

from kombu.transport import redis

from shared.clients.broker import QUEUE, WAKE

NO_ARGUMENTS = "W1tdLCB7fSwge31d"
"""`[[], {}, {}]` in base64: no arguments, and nothing to do afterwards."""

_NOT_OURS = (LookupError, TypeError, AttributeError, ValueError, RecursionError)

_log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """A channel that drops what is no JSON."""

    def _brpop_read(self, **options: Any) -> Any:  # noqa: ANN401 # as in kombu
        try:
            return super()._brpop_read(**options)  # type: ignore[misc] # not in the stubs
        except (ValueError, RecursionError) as error:
            _log_dropped(error)  # it is no longer in the list
            return True

    def _receive_one(self, c: Any) -> Any:  # noqa: ANN401 # as in kombu
        try:
            return super()._receive_one(c)  # type: ignore[misc] # not in the stubs
        except RecursionError as error:
            _log_dropped(error)
            return None


class Transport(redis.Transport):
    """A transport that passes on only what Easel may have sent."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:  # noqa: ANN401 # it may be anything
        if queue != QUEUE:
            try:
                super()._deliver(message, queue)  # a call to all workers, such as a ping
            except _NOT_OURS as error:
                _log_dropped(error)
            return
        try:
            known = clean(message)
        except _NOT_OURS as error:
            _log_dropped(error)
        else:
            super()._deliver(known, queue)


def clean(message: Any) -> dict[str, Any]:  # noqa: ANN401 # it may be anything
    """Return a wake-up that says nothing else.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: It is none of Easel's.
    """
    if message["headers"]["task"] != WAKE:
        raise ValueError("no task of this version")
    task_id = str(uuid4())
    return {
        "body": NO_ARGUMENTS,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": WAKE, "id": task_id},
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }


def _log_dropped(error: Exception) -> None:
    _log.warning("dropped a message that Easel has not sent: %s", type(error).__name__)
