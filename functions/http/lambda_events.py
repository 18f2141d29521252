"""Requests as API Gateway and function URLs hand them to Lambda: payload 2.0, and 1.0 of REST APIs.

They are handlers for Mangum, whose own ones fail at an IPv6 host, keep the stage in the path, encode problem documents
in base64 (which a REST API sends on as it is), and give an empty answer a media type.
"""

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from fastapi.routing import APIRoute
from starlette.routing import compile_path

if TYPE_CHECKING:
    from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, LambdaHandler, Response, Scope


def is_request(event: object) -> bool:
    """Return whether an event carries a request; those of a schedule that keeps the function warm, any JSON, do not."""
    return isinstance(event, dict) and isinstance(event.get("requestContext"), dict)


def handlers_for(routes: Sequence[APIRoute]) -> "list[type[LambdaHandler]]":
    """Return the handlers for Mangum. They remove what comes before a route's path: a stage or a base path."""
    own = {"templates": [compile_path(route.path)[0] for route in routes]}
    return [type(kind.__name__, (kind,), own) for kind in (_Version1, _Version2)]


class _Event:
    """What both versions have in common. `templates` are the paths of the function's routes."""

    templates: Sequence[re.Pattern[str]] = ()

    def __init__(self, event: "LambdaEvent", context: "LambdaContext", _config: "LambdaConfig") -> None:
        self.event = event
        self.context = context

    @property
    def body(self) -> bytes:
        """The request's body."""
        body = self.event.get("body") or ""
        return base64.b64decode(body) if self.event.get("isBase64Encoded") else body.encode()

    def _scope(self, method: str, path: str, query: str, headers: dict[str, str], client: str | None) -> "Scope":
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "http_version": "1.1",
            "method": method,
            "path": self._own_path(unquote(path)),
            "raw_path": None,
            "root_path": "",
            "scheme": headers.get("x-forwarded-proto", "https"),
            "query_string": query.encode(),
            "headers": [[name.encode(), value.encode()] for name, value in headers.items()],
            "server": _server(headers),
            "client": (client, 0),
            "aws.event": self.event,
            "aws.context": self.context,
        }

    def _own_path(self, path: str) -> str:
        """Return the longest end of the path that a route has; the whole path if no end has one."""
        starts = (place.start() for place in re.finditer("/", path))
        return next((path[at:] for at in starts if any(route.match(path[at:]) for route in self.templates)), path)

    @staticmethod
    def _answer(response: "Response") -> dict[str, Any]:
        body: bytes = response["body"]
        try:
            return {"statusCode": response["status"], "body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            encoded = base64.b64encode(body).decode()
            return {"statusCode": response["status"], "body": encoded, "isBase64Encoded": True}


class _Version1(_Event):
    """A REST API, or an HTTP API with payload format 1.0."""

    @classmethod
    def infer(cls, event: "LambdaEvent", _context: "LambdaContext", _config: "LambdaConfig") -> bool:
        """Return whether the event has this version."""
        return is_request(event) and "httpMethod" in event and "elb" not in event["requestContext"]

    @property
    def scope(self) -> "Scope":
        """The request in terms of ASGI."""
        event = self.event
        listed = event.get("multiValueHeaders") or {name: [text] for name, text in (event.get("headers") or {}).items()}
        headers = {name.lower(): ("; " if name.lower() == "cookie" else ",").join(listed[name]) for name in listed}
        query = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
        client = (event["requestContext"].get("identity") or {}).get("sourceIp")
        return self._scope(event["httpMethod"], event["path"], urlencode(query, doseq=True), headers, client)

    def __call__(self, response: "Response") -> dict[str, Any]:
        """Return the answer in terms of Lambda."""
        headers: dict[str, list[str]] = {}
        for name, value in response["headers"]:
            headers.setdefault(name.decode().lower(), []).append(value.decode())
        return self._answer(response) | {"multiValueHeaders": headers}


class _Version2(_Event):
    """An HTTP API with payload format 2.0, or a function URL."""

    @classmethod
    def infer(cls, event: "LambdaEvent", _context: "LambdaContext", _config: "LambdaConfig") -> bool:
        """Return whether the event has this version."""
        return is_request(event) and event.get("version") == "2.0"

    @property
    def scope(self) -> "Scope":
        """The request in terms of ASGI."""
        event, http = self.event, self.event["requestContext"]["http"]
        headers = {name.lower(): text for name, text in (event.get("headers") or {}).items()}
        if event.get("cookies"):
            headers["cookie"] = "; ".join(event["cookies"])
        return self._scope(http["method"], http["path"], event.get("rawQueryString", ""), headers, http["sourceIp"])

    def __call__(self, response: "Response") -> dict[str, Any]:
        """Return the answer in terms of Lambda."""
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for raw_name, raw_value in response["headers"]:
            name, value = raw_name.decode().lower(), raw_value.decode()
            if name == "set-cookie":
                cookies.append(value)
            else:
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        return self._answer(response) | {"headers": headers} | ({"cookies": cookies} if cookies else {})


def _server(headers: dict[str, str]) -> tuple[str, int]:
    """Return the host and port that the client named; they are not used to build any address."""
    try:
        place = urlsplit("//" + headers.get("host", ""))
        return place.hostname or "", place.port or int(headers.get("x-forwarded-port", "443"))
    except ValueError:
        return "", 443
