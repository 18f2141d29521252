"""Four ways into Easel for one suite.

The gateway's app, each function called as an HTTP API and as a REST API call Lambda, and the deployed bundle of
functions.
"""

import asyncio
import base64
import importlib
import json
import re
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import TracebackType
from typing import Any, Self, get_args
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from fastapi import FastAPI

from functions.gateway import create_gateway
from functions.http.app import create_lambda
from functions.http.long_poll import LongPoll
from functions.http.manifest import manifest
from shared.core.errors import FieldCode
from shared.core.settings import Settings
from shared.services import Services
from tests.support.deployment import Deployment

ORIGIN = "http://127.0.0.1:8080"
GATEWAY_ANSWER = {"message": "Not Found"}


class Door(httpx.Client):
    """An HTTP client that checks every answer against the API's general promises, and keeps no cookies."""

    def __init__(self, transport: "_Asgi | _Lambda | _Deployed") -> None:
        super().__init__(transport=transport, base_url=ORIGIN, follow_redirects=False)
        self._long_poll = transport.long_poll
        self._documented = _document()

    @property
    def held(self) -> int:
        """Return the number of answers being held until a job changes."""
        if self._long_poll is None:
            pytest.skip("what a deployed function holds back cannot be counted from here")
        return len(self._long_poll._waiters)

    def check_documented(self, request: httpx.Request, response: httpx.Response) -> None:
        """Fail unless OpenAPI names this status for this route."""
        route = find_route(request.method, request.url.raw_path.partition(b"?")[0].decode("ascii"))
        if route is not None:
            statuses = self._documented["paths"][route["path"]][route["method"].lower()]["responses"]
            assert str(response.status_code) in statuses, f"{route['path']} does not document {response.status_code}"

    def ask_unchecked(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return an answer that the API never promises, such as a 500."""
        return super().send(self.build_request(method, path, **options))

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        response = super().send(request, **options)
        self.cookies.clear()
        if "x-apigateway" in response.headers:
            return response
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src")
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.status_code != 500, response.text
        if (
            response.status_code >= 400
            and request.method != "HEAD"
            and "access-control-request-method" not in request.headers
        ):
            _check_problem(response)
        self.check_documented(request, response)
        return response


def _check_problem(response: httpx.Response) -> None:
    if response.status_code == 503 and response.json().get("status") == "unavailable":
        return  # the answer of /v1/health
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    keys = {"type", "title", "status", "detail", "code"} | ({"errors"} if response.status_code == 422 else set())
    assert problem.keys() == keys
    assert problem["status"] == response.status_code
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", problem["code"])
    assert problem["type"] == f"/docs#{problem['code']}"
    assert response.headers["cache-control"] == "no-store"
    assert ("retry-after" in response.headers) == (response.status_code in (429, 503))
    assert ("www-authenticate" in response.headers) == (response.status_code == 401)
    for error in problem.get("errors", ()):
        assert error.keys() == {"field", "message", "code", "limit"}
        assert error["code"] in get_args(FieldCode)


class Doors:
    """Opens doors of one kind, inside `with`. The same services get the same door."""

    def __init__(self, kind: str, deploy: "Callable[[Services], Deployment] | None" = None) -> None:
        self.kind = kind
        self._deploy = deploy
        self._doors: dict[int, Door] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        if self.kind == "asgi":
            self._thread = threading.Thread(target=self._loop.run_forever)
            self._thread.start()
        elif self.kind in ("lambda", "rest"):
            # Lambda hands a process one event at a time.
            self._executor = ThreadPoolExecutor(1, initializer=lambda: asyncio.set_event_loop(self._loop))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for door in self._doors.values():
            door.close()
        if self.kind == "asgi":
            asyncio.run_coroutine_threadsafe(_end_tasks(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        elif self.kind in ("lambda", "rest"):
            self._executor.submit(lambda: self._loop.run_until_complete(_end_tasks())).result()
            self._executor.shutdown()
        self._loop.close()

    def open(self, services: Services) -> Door:
        """Return a client of Easel on these services."""
        key = id(services)
        if key not in self._doors:
            if self.kind == "deployed":
                for other in list(self._doors)[1:]:  # those of earlier tests, with their processes
                    self._doors.pop(other).close()
            self._doors[key] = Door(self._transport(services))
        return self._doors[key]

    def _transport(self, services: Services) -> "_Asgi | _Lambda | _Deployed":
        if self.kind == "asgi":
            return _Asgi(services, self._loop)
        if self.kind in ("lambda", "rest"):
            # Created where they are called: Mangum uses the loop of its creating thread, or leaves a new one open.
            build = build_event if self.kind == "lambda" else build_rest_event
            return self._executor.submit(_Lambda, services, self._call, build).result()
        assert self._deploy is not None
        return _Deployed(services, self._deploy(services))

    def _call(self, function: Callable[[Any, Any], Any], event: dict[str, Any]) -> Any:
        return self._executor.submit(function, event, None).result()


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Asgi(httpx.BaseTransport):
    """The gateway on an event loop that keeps running between requests, as under a server."""

    def __init__(self, services: Services, loop: asyncio.AbstractEventLoop) -> None:
        app = create_gateway(services)
        self.long_poll: LongPoll = app.state.long_poll
        self._transport = httpx.ASGITransport(app)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._send(request, request.read()), self._loop).result(timeout=60)

    async def _send(self, request: httpx.Request, body: bytes) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, stream=_Pieces(body))
        response = await self._transport.handle_async_request(sent)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers.raw, content=content)


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 65536):
            yield self._body[start : start + 65536]


class _Lambda(httpx.BaseTransport):
    """API Gateway: finds the route in the manifest, calls only that function, passes on its answer."""

    def __init__(
        self,
        services: Services,
        call: Callable[[Callable[[Any, Any], Any], dict[str, Any]], Any],
        build: Callable[[httpx.Request, dict[str, Any]], dict[str, Any]],
    ) -> None:
        names = {route["name"] for route in manifest()}
        self._functions = {
            name: create_lambda(importlib.import_module(f"functions.{name}").router, services) for name in names
        }
        status = self._functions["status"].app
        assert isinstance(status, FastAPI)
        self.long_poll: LongPoll = status.state.long_poll
        self._call = call
        self._build = build

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = find_route(request.method, request.url.raw_path.partition(b"?")[0].decode("ascii"))
        if route is None:
            return httpx.Response(404, headers={"X-ApiGateway": "true"}, json=GATEWAY_ANSWER)
        return decode_answer(self._call(self._functions[route["name"]], self._build(request, route)))


class _Deployed(httpx.BaseTransport):
    """The API Gateway of a cloud, over HTTP."""

    long_poll = None

    def __init__(self, services: Services, deployment: Deployment) -> None:
        self._services = services  # keeps a reference, so that its id is not reused
        self._deployment = deployment
        self._url = httpx.URL(deployment.url)
        self._http = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = find_route(request.method, request.url.raw_path.partition(b"?")[0].decode("ascii"))
        if route is not None:
            self._deployment.add(route["name"])  # few tests need more than a few functions
        address = self._url.copy_with(raw_path=self._url.raw_path + request.url.raw_path)
        sent = httpx.Request(request.method, address, headers=request.headers.raw, content=request.read())
        if "json" in request.headers.get("content-type", "") and not _is_text(request.content):
            pytest.skip("MiniStack replaces bytes that are not UTF-8 instead of passing them on in base64")
        try:
            response = self._http.handle_request(sent)
        except httpx.LocalProtocolError:
            pytest.skip("HTTP cannot carry this")
        content = response.read()
        headers = [
            (name, value)
            for name, value in response.headers.raw
            if name.lower() not in _OF_THE_WAY and (name.lower(), value) != _EVERY_ORIGIN
        ]
        if response.status_code == 404 and "x-request-id" not in response.headers:
            # No function was called. API Gateway's own texts differ from MiniStack's.
            return httpx.Response(404, headers={"X-ApiGateway": "true"}, json=GATEWAY_ANSWER)
        return httpx.Response(response.status_code, headers=headers, content=content)

    def close(self) -> None:
        self._http.close()
        self._deployment.remove()


@cache
def _document() -> dict[str, Any]:
    """Return the OpenAPI document, which is the same under all settings."""
    nowhere = {"EASEL_DATABASE_URL": "postgresql://127.0.0.1:1/", "EASEL_BROKER_URL": "redis://127.0.0.1:1/0"}
    document: dict[str, Any] = create_gateway(Services(Settings.from_environment(nowhere))).openapi()
    return document


# Headers of the connection to MiniStack, its markers, and its CORS headers for every origin.
_OF_THE_WAY = (
    *(b"connection", b"transfer-encoding", b"date", b"server"),
    *(b"x-amzn-requestid", b"x-amz-request-id", b"x-amz-id-2"),
)
_EVERY_ORIGIN = (b"access-control-allow-origin", b"*")


def find_route(method: str, path: str) -> dict[str, Any] | None:
    """Return the manifest's route that API Gateway would choose: a template's part matches one non-empty part.

    Terraform also makes a route of HEAD for each of GET.
    """
    for route in manifest():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route["path"]))
        if route["method"] == ("GET" if method == "HEAD" else method) and re.fullmatch(pattern, path):
            return route
    return None


def build_event(request: httpx.Request, route: dict[str, Any]) -> dict[str, Any]:
    """Return the request as an event of payload format 2.0.

    The path is decoded, the query is not, repeated headers are joined by commas, cookies are in a separate list, and a
    body that is not text is in base64.
    """
    raw_path, _, query = request.url.raw_path.partition(b"?")
    path = unquote(raw_path.decode("ascii"), errors="replace")
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in request.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";")]
        elif name != "transfer-encoding":
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{route['method']} {route['path']}",
        "rawPath": path,
        "rawQueryString": query.decode("latin-1"),
        "headers": headers,
        "requestContext": {
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": "event",
            "stage": "$default",
            "timeEpoch": 0,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if body := request.read():
        textual = re.match(r"text/|application/(json|javascript|xml)", headers.get("content-type", ""))
        event["isBase64Encoded"] = not (textual and _is_text(body))
        event["body"] = base64.b64encode(body).decode() if event["isBase64Encoded"] else body.decode()
    decoded: dict[str, Any] = json.loads(json.dumps(event))  # it is sent as JSON
    return decoded


def build_rest_event(request: httpx.Request, route: dict[str, Any]) -> dict[str, Any]:
    """Return the request as an event of payload format 1.0, of a REST API with a named stage and a base path.

    Headers and the decoded query are in lists, and what is missing is null.
    """
    event = build_event(request, route)
    path = "/easel" + event["rawPath"]
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(event["rawQueryString"], keep_blank_values=True):
        query.setdefault(name, []).append(value)
    headers = event["headers"] | ({"cookie": "; ".join(event["cookies"])} if "cookies" in event else {})
    rest: dict[str, Any] = {
        "resource": route["path"],
        "path": path,
        "httpMethod": request.method,
        "headers": headers or None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {"stage": "prod", "path": "/prod" + path, "identity": {"sourceIp": "203.0.113.7"}},
        "body": event.get("body"),
        "isBase64Encoded": event["isBase64Encoded"],
    }
    return rest


def decode_answer(answer: dict[str, Any]) -> httpx.Response:
    """Return a function's answer as API Gateway sends it to the client. A REST API does not decode base64."""
    answer = json.loads(json.dumps(answer))
    body = answer.get("body") or ""
    lists = answer.get("multiValueHeaders")
    encoded = answer.get("isBase64Encoded") and lists is None
    content = base64.b64decode(body, validate=True) if encoded else body.encode()
    headers = [*answer.get("headers", {}).items(), *(("set-cookie", cookie) for cookie in answer.get("cookies", ()))]
    headers += [(name, value) for name, values in (lists or {}).items() for value in values]
    return httpx.Response(answer["statusCode"], headers=headers, content=content)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
