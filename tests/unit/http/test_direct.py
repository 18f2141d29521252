"""Endpoints called without FastAPI's layers: the same answers, and whatever is not plainly valid is left to FastAPI."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from functions.http.app import create_app
from functions.http.caching import Private
from functions.http.direct import Direct
from functions.http.headers import declared_headers
from functions.http.request_id import RequestId, Unexpected
from shared.api.schemas import JobRequest
from shared.core.errors import NotFound, QueueFull
from shared.core.limits import MAX_BODY_BYTES
from shared.core.settings import Settings
from shared.services import Services

router = APIRouter()


async def _number(number: Annotated[str, Path()], request: Request) -> str:
    if number == "0":
        raise NotFound
    return f"{request.method} {int(number)}"


@router.get("/numbers/{number}")
def get_number(
    number: Annotated[str, Depends(_number)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    word: str | None = None,
    if_none_match: Annotated[str | None, Header(max_length=10)] = None,
) -> Response:
    return Response(repr((number, limit, word, if_none_match)))


@router.post("/jobs", status_code=202)
async def post_job(body: JobRequest, wanted: Annotated[bool, Query()]) -> Response:
    if body.n == 8:
        raise QueueFull("Too many.", retry_after_s=30)
    return Response(f"{wanted} {body!r}", 202)


@router.get("/breaks/{what}")
def breaks(what: Annotated[str, Path()]) -> Response:
    raise RuntimeError(what)


@router.get("/plain")
def get_plain() -> dict[str, str]:
    return {"this": "is not a Response"}


class Counted:
    """Around FastAPI: counts the requests that reach it."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        await self.app(scope, receive, send)


@pytest.fixture
def app() -> FastAPI:
    settings = Settings.from_environment(
        {"EASEL_DATABASE_URL": "postgresql://easel:x@127.0.0.1:9/easel", "EASEL_BROKER_URL": "redis://127.0.0.1:9/0"}
    )
    app = create_app([], Services(settings))
    app.include_router(router)
    return app


def ask(app: Any, method: str, path: str, **request: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://easel") as client:
            return await client.request(method, path, **request)

    return asyncio.run(send())


async def in_parts() -> AsyncIterator[bytes]:
    yield b'{"prompt": '
    yield b'"a lighthouse"}'


PROMPT = {"prompt": "a lighthouse"}
JSON = {"content-type": "application/json"}
ANSWERED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/numbers/7", {}),
    ("GET", "/numbers/7?limit=100&word=", {}),
    ("GET", "/numbers/7?limit=5&limit=6&word=a%20b&other=1", {}),
    ("GET", "/numbers/7", {"headers": {"if-none-match": "x"}}),
    ("POST", "/jobs?wanted=yes", {"json": PROMPT}),
    ("POST", "/jobs?wanted=0", {"json": PROMPT | {"scale": 7, "description": {"skip_list": ["artists"]}}}),
    ("POST", "/jobs?wanted=0", {"json": PROMPT | {"n": 8}}),
    ("POST", "/jobs?wanted=0", {"content": in_parts, "headers": JSON}),
    ("POST", "/jobs?wanted=1", {"content": '{"prompt": "a"}'.encode("utf-16"), "headers": JSON}),
]
HANDED_ON: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/plain", {}),
    ("GET", "/unknown", {}),
    ("PUT", "/numbers/7", {}),
    ("GET", "/numbers/7/", {}),
    ("GET", "/numbers/0", {}),
    ("GET", "/numbers/7?limit=0", {}),
    ("GET", "/numbers/7?limit=", {}),
    ("GET", "/numbers/7", {"headers": {"if-none-match": "longer than it may be"}}),
    ("POST", "/jobs", {"json": PROMPT}),
    ("POST", "/jobs?wanted=1", {"json": {}}),
    ("POST", "/jobs?wanted=1", {"json": PROMPT | {"n": "1"}}),
    ("POST", "/jobs?wanted=1", {"json": PROMPT | {"n": 1.5}}),
    ("POST", "/jobs?wanted=1", {"json": PROMPT | {"unknown": 1}}),
    ("POST", "/jobs?wanted=1", {"content": b"", "headers": JSON}),
    ("POST", "/jobs?wanted=1", {"content": b'{"prompt": ', "headers": JSON}),
    ("POST", "/jobs?wanted=1", {"content": b'{"prompt": "\\ud800"}', "headers": JSON}),
    ("POST", "/jobs?wanted=1", {"content": b'{"prompt": "a"}', "headers": {"content-type": "application/vnd.a+json"}}),
    ("POST", "/jobs?wanted=1", {"content": b"prompt=a", "headers": {"content-type": "text/plain"}}),
]


@pytest.mark.parametrize(("method", "path", "request_"), [*ANSWERED, *HANDED_ON])
def test_both_ways_give_the_same_answer(app: FastAPI, method: str, path: str, request_: dict[str, Any]) -> None:
    around = Counted(app)
    inner = Private(Direct(around, [route for route in router.routes if isinstance(route, APIRoute)]))
    direct = RequestId(inner, declared_headers().api)
    answers = []
    for way in (direct, app):
        sent = request_ | ({"content": in_parts()} if request_.get("content") is in_parts else {})
        answers.append(ask(way, method, path, **sent))
    first, second = answers
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert {**first.headers, "x-request-id": ""} == {**second.headers, "x-request-id": ""}
    assert around.requests == ((method, path, request_) in HANDED_ON)


def test_an_unexpected_error_is_logged_with_its_route(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    direct = RequestId(Unexpected(Direct(app, routes)), {})
    answer = ask(direct, "GET", "/breaks/something-private")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == "unexpected error: GET /breaks/{what}"


def test_a_body_that_is_too_large_is_not_read_to_its_end(app: FastAPI) -> None:
    direct = RequestId(Direct(app, [route for route in router.routes if isinstance(route, APIRoute)]), {})
    answer = ask(direct, "POST", "/jobs?wanted=1", content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("name", ["status", "submit", "list", "gallery"])
def test_frequent_functions_are_called_directly(name: str) -> None:
    module = __import__(f"functions.{name}", fromlist=["router"])
    routes = [route for route in module.router.routes if isinstance(route, APIRoute)]
    direct = Direct(FastAPI(), routes)
    for route in routes:
        assert route.methods is not None
        [method] = route.methods
        assert direct._find({"method": method, "path": route.path.format(job_id="1")}) is not None
