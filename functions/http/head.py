"""HEAD for every route that has GET: the same status and headers, without the body (RFC 9110, 9.3.2)."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def is_head(request: Request) -> bool:
    """Return whether the client sent HEAD, which endpoints receive as GET."""
    return bool(getattr(request.state, "head", False))


class Head:
    """ASGI middleware around the routes. HEAD for anything else, such as a file, is passed on unchanged."""

    def __init__(self, app: ASGIApp, routes: Sequence[APIRoute]) -> None:
        self._app = app
        self._paths = [compile_path(route.path)[0] for route in routes if "GET" in (route.methods or ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or not self._has_get(scope["path"]):
            return await self._app(scope, receive, send)
        # A copy: the server reads the method from its own, to leave out the body.
        inner = {**scope, "method": "GET", "state": {**scope.get("state", {}), "head": True}}

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self._app(inner, receive, send_without_body)
        finally:
            scope.update({name: inner[name] for name in ("endpoint", "route") if name in inner})  # for the log
        return None

    def _has_get(self, path: str) -> bool:
        return any(template.match(path) for template in self._paths)
