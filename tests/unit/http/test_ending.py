"""Requests that are still waiting when the gateway ends."""

import asyncio
import http.client
import json
import threading
from functools import partial
from typing import Any

import pytest

from functions.http.connections import BoundedHttp, Connections
from functions.http.request_id import RequestId, Unexpected
from tests.support.listening import listening


class Waiting:
    """An app that answers no request. `begun` is set once there is one; an answer may have begun then."""

    def __init__(self, *, begins: bool) -> None:
        self.begun, self._begins = threading.Event(), begins

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        if self._begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a part", "more_body": True})
        self.begun.set()
        await asyncio.Event().wait()


def ended_while_waiting(app: Waiting) -> http.client.HTTPConnection:
    """Return the connection of a request whose server has ended meanwhile."""
    http_class: Any = partial(BoundedHttp, connections=Connections())
    with listening(RequestId(Unexpected(app), usual={}), http=http_class, lifespan="off") as address:
        connection = http.client.HTTPConnection(address, timeout=20)
        connection.request("GET", "/")
        assert app.begun.wait(20)
    return connection


def test_a_request_that_outlasts_its_gateway_may_be_tried_again() -> None:
    connection = ended_while_waiting(Waiting(begins=False))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["X-Request-Id"]
    connection.close()


def test_an_answer_that_has_begun_is_cut() -> None:
    connection = ended_while_waiting(Waiting(begins=True))
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()
