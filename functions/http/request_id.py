"""Around every request: its id, the limit on its body, and the one place where an unforeseen exception ends."""

import logging
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.problems import render
from shared.core import log
from shared.core.errors import Internal

MAX_BODY_BYTES = 256 * 1024

_log = logging.getLogger(__name__)


class RequestContext:
    """ASGI middleware. Every answer carries `X-Request-Id`; a body over 256 KiB is refused while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = uuid4().hex
        log.request_id.set(request_id)
        started = False
        left = MAX_BODY_BYTES

        async def receive_bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                # FastAPI lets this kind of exception through, and takes any other for a body that is no JSON.
                raise HTTPException(
                    413, f"A request may be at most {MAX_BODY_BYTES // 1024} KiB. Upload pictures apart."
                )
            return message

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive_bounded, send_marked)
        except Exception:
            _log.exception("unforeseen: %s %s", scope["method"], scope.get("route") and scope["route"].path)
            error = Internal(f"Something went wrong here. Quote the request id {request_id} when you report it.")
            if not started:
                await render(error)(scope, receive, send_marked)
        return None
