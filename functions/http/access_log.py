"""The access log: a line for each answered request, and its metrics."""

import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.core.log import fields
from shared.metrics.process import MeasureRequest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logging.getLogger(__name__)


class AccessLog:
    """ASGI middleware around everything else. It logs the route's template, since a path or query may be private."""

    def __init__(self, app: ASGIApp, measure: MeasureRequest) -> None:
        self._app = app
        self._measure = measure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request and record its status and duration."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def send_recorded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        finally:
            seconds = time.perf_counter() - started
            function, path = _answered(scope)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._measure(function, method, status, seconds)
            line = fields(method=method, path=path, function=function, status=status, ms=round(seconds * 1000, 1))
            _log.info("request", extra=line)
        return None


def _answered(scope: Scope) -> tuple[str, str | None]:
    """Return the name of the function that answered and its route's template.

    The name is `site` for what the gateway serves besides, and `none` if no route matched the request.
    """
    endpoint: Any = scope.get("endpoint")
    if endpoint is None:
        return "none", None
    package, _, name = str(getattr(endpoint, "__module__", "")).rpartition(".")
    if package == "functions" and name != "gateway":
        return name, getattr(scope.get("route"), "path", None)
    return "site", None
