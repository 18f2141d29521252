"""Calls endpoints without FastAPI's layers, which take longer than most endpoints.

FastAPI declares the routes, makes the OpenAPI document, and answers every request that is not plainly valid, so that
each error is described in one place. Both ways call the same dependencies and the same endpoint.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, iscoroutinefunction, signature
from typing import Annotated, Any, TypeAlias, cast, get_args, get_origin, get_type_hints

from fastapi.params import Depends, Header, Path, Security
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.problems import from_http, render
from functions.http.threads import in_thread
from shared.core.errors import EaselError


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request with its whole body and the parameters in its path."""

    request: Request
    in_path: dict[str, str]
    body: bytes


Read: TypeAlias = Callable[[_Sent], Awaitable[object]]
"""Reads one argument of an endpoint or dependency from a request."""


class _Unclear(Exception):
    """FastAPI has to answer this request, or report what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """An endpoint with how its arguments are read. `model` is the name of the argument that the body becomes."""

    route: APIRoute
    arguments: dict[str, Read]
    reads_body: bool

    async def call(self, sent: _Sent) -> Response:
        """Return the endpoint's answer.

        Raises:
            _Unclear: An argument is missing or not valid, or a dependency refuses the request.
        """
        try:
            values = {name: await read(sent) for name, read in self.arguments.items()}
        except (ValidationError, EaselError):
            raise _Unclear from None
        if iscoroutinefunction(self.route.endpoint):
            return cast(Response, await self.route.endpoint(**values))
        return cast(Response, await in_thread(self.route.endpoint, **values))


class Direct:
    """ASGI middleware just around FastAPI: answers the requests to routes whose endpoints return a Response."""

    def __init__(self, app: ASGIApp, routes: Sequence[APIRoute]) -> None:
        self._app = app
        self._fixed: dict[tuple[str, str], _Endpoint] = {}
        self._templates: list[tuple[str, re.Pattern[str], _Endpoint]] = []
        for route in routes:
            if not _returns_response(route.endpoint):
                continue
            arguments = _arguments(route.endpoint)
            endpoint = _Endpoint(route, arguments, any(isinstance(read, _Body) for read in arguments.values()))
            for method in route.methods or ():
                if "{" in route.path:
                    self._templates.append((method, compile_path(route.path)[0], endpoint))
                else:
                    self._fixed[method, route.path] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            return await self._app(scope, receive, send)
        endpoint, in_path = found
        scope["endpoint"], scope["route"] = endpoint.route.endpoint, endpoint.route  # for the log
        read: list[Message] = []
        try:
            body = await _read_body(receive, read) if endpoint.reads_body else b""
            response = await endpoint.call(_Sent(Request(scope), in_path, body))
        except _Unclear:
            return await self._app(scope, _again(read, receive), send)
        except HTTPException as error:
            response = render(from_http(error))
        except EaselError as error:
            response = render(error)
        await response(scope, receive, send)
        return None

    def _find(self, scope: Scope) -> tuple[_Endpoint, dict[str, str]] | None:
        method, path = scope["method"], scope["path"]
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, {}
        for of_method, template, endpoint in self._templates:
            if of_method == method and (found := template.match(path)):
                return endpoint, found.groupdict()
        return None


async def _read_body(receive: Receive, read: list[Message]) -> bytes:
    """Return the request's body, and keep its messages in `read`."""
    more = True
    while more:
        message = await receive()
        read.append(message)
        if message["type"] != "http.request":
            raise _Unclear
        more = message.get("more_body", False)
    return b"".join(message.get("body", b"") for message in read)


def _again(read: list[Message], receive: Receive) -> Receive:
    """Return a receive that begins with messages that were received before."""
    left = iter(read)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again


def _returns_response(endpoint: Callable[..., Any]) -> bool:
    returned = get_type_hints(endpoint).get("return")
    return isinstance(returned, type) and issubclass(returned, Response)


def _arguments(function: Callable[..., Any]) -> dict[str, Read]:
    hints = get_type_hints(function, include_extras=True)
    return {name: _argument(parameter, hints[name]) for name, parameter in signature(function).parameters.items()}


def _argument(parameter: Parameter, hint: Any) -> Read:  # noqa: ANN401 # a type hint
    """Return how an argument is read, by FastAPI's rules for the kinds of arguments that functions have."""
    declared = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    for extra in declared:
        if isinstance(extra, Security):
            return _nothing  # declared for the API's docs
        if isinstance(extra, Depends):
            assert extra.dependency is not None
            return _Dependency(extra.dependency, _arguments(extra.dependency))
    if hint is Request:
        return _request
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _Body(hint)
    default = parameter.default if parameter.default is not Parameter.empty else _Unclear
    kind = next((type(extra) for extra in declared if isinstance(extra, Header | Path)), None)
    name = parameter.name.replace("_", "-") if kind is Header else parameter.name
    return _Text(kind, name, TypeAdapter(hint), default)


async def _nothing(_sent: _Sent) -> None:
    return None


async def _request(sent: _Sent) -> Request:
    return sent.request


@dataclass(frozen=True, slots=True)
class _Dependency:
    """Calls a coroutine function with its own arguments."""

    function: Callable[..., Awaitable[object]]
    arguments: dict[str, Read]

    async def __call__(self, sent: _Sent) -> object:
        return await self.function(**{name: await read(sent) for name, read in self.arguments.items()})


@dataclass(frozen=True, slots=True)
class _Body:
    """Validates a body of JSON; one of another type is left to FastAPI."""

    model: type[BaseModel]

    async def __call__(self, sent: _Sent) -> BaseModel:
        if sent.request.headers.get("content-type") != "application/json":
            raise _Unclear
        return self.model.model_validate_json(sent.body)


@dataclass(frozen=True, slots=True)
class _Text:
    """Validates a header, a part of the path, or (without a kind) a parameter of the query."""

    kind: type[Header] | type[Path] | None
    name: str
    adapter: TypeAdapter[Any]
    default: object

    async def __call__(self, sent: _Sent) -> object:
        text: str | None
        if self.kind is Path:
            text = sent.in_path[self.name]
        elif self.kind is Header:
            text = sent.request.headers.get(self.name)
        else:
            text = sent.request.query_params.get(self.name) if sent.request.scope["query_string"] else None
        if text is not None:
            return self.adapter.validate_python(text)
        if self.default is _Unclear:
            raise _Unclear
        return self.default
