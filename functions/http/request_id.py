"""The request id and the usual headers, the limit on request bodies, and the handler of unexpected exceptions."""

import asyncio
import logging
from collections.abc import Mapping
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.bodies import check_json
from functions.http.problems import render
from shared.core import log
from shared.core.errors import Internal, Unavailable
from shared.core.limits import MAX_BODY_BYTES

_log = logging.getLogger(__name__)


class Unexpected:
    """ASGI middleware inside that for other origins, so that their pages can read this answer too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; an exception that nothing else handles becomes a 500.

        One that still waits when the process ends, as a long poll may, becomes a 503.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except asyncio.CancelledError:
            if started:
                raise
            await render(Unavailable("This request was interrupted. Try again in a moment."))(scope, receive, send)
        except Exception:
            _log.exception("unexpected error: %s %s", scope["method"], scope.get("route") and scope["route"].path)
            request_id = log.request_id.get()
            error = Internal(f"An unexpected error occurred. Quote the request id {request_id} when you report it.")
            if not started:
                await render(error)(scope, receive, send)
        return None


class RequestId:
    """ASGI middleware. Adds `X-Request-Id` and the usual headers to every answer, and refuses some bodies.

    These are bodies over 256 KiB, and those of JSON that are not clear (`check_json`).

    usual: the headers of every answer that has no other of the same name.
    """

    def __init__(self, app: ASGIApp, usual: Mapping[str, str]) -> None:
        self._app = app
        self._usual = [(name.lower().encode(), value.encode()) for name, value in usual.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request under a new id."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = uuid4().hex
        log.request_id.set(request_id)
        is_json = any(name == b"content-type" and b"json" in value.lower() for name, value in scope["headers"])
        left, received = MAX_BODY_BYTES, bytearray()

        async def receive_bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                # FastAPI lets this exception through; it reports any other as a body that is not JSON.
                raise HTTPException(
                    413,
                    f"A request may be at most {MAX_BODY_BYTES // 1024} KiB. Upload pictures with POST /v1/uploads.",
                )
            if is_json and message["type"] == "http.request":
                received.extend(message.get("body", b""))
                if received and not message.get("more_body", False):
                    check_json(bytes(received))
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                usual = (header for header in self._usual if header[0] not in own)
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *usual]
            await send(message)

        await self._app(scope, receive_bounded, send_with_headers)
        return None
