"""What caches may do with the API's answers: nothing, unless an endpoint says otherwise."""

from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = "private, no-store"
CREDENTIALS = "Authorization, Cookie"


class Private:
    """ASGI middleware around the routes: an answer of the API without Cache-Control belongs to its caller alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_private(message: Message) -> None:
            if message["type"] == "http.response.start" and isinstance(scope.get("route"), APIRoute):
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", PRIVATE)
                of_caller = headers["Cache-Control"] in (PRIVATE, "private, no-cache")
                if of_caller and CREDENTIALS not in headers.get("Vary", ""):
                    headers.add_vary_header(CREDENTIALS)
            await send(message)

        await self._app(scope, receive, send_private)
        return None
