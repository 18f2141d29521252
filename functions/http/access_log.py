"""Every request, once it is answered: a line in the log, and a count for who asks for metrics."""

import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.core.log import fields
from shared.metrics.process import MeasureRequest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = logging.getLogger(__name__)


class Measured:
    """ASGI middleware around everything else. The line names the route's template: a real path or query may hold what
    is nobody's business."""

    def __init__(self, app: ASGIApp, measure: MeasureRequest) -> None:
        self._app = app
        self._measure = measure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begin, status = time.perf_counter(), 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            seconds = time.perf_counter() - begin
            function, path = _answered(scope)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._measure(function, method, status, seconds)
            line = fields(method=method, path=path, function=function, status=status, ms=round(seconds * 1000, 1))
            _log.info("request", extra=line)
        return None


def _answered(scope: Scope) -> tuple[str, str | None]:
    """The name of the function that answered and its route's template. `site`: what the gateway serves besides; `none`:
    no route took the request."""
    endpoint: Any = scope.get("endpoint")
    if endpoint is None:
        return "none", None
    package, _, name = str(getattr(endpoint, "__module__", "")).rpartition(".")
    if package == "functions" and name != "gateway":
        return name, getattr(scope.get("route"), "path", None)
    return "site", None
