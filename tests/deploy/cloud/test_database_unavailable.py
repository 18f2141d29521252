"""Handlers with a dead, silent or slow database: a correct answer or a 503 in time, and nothing done twice."""

import base64
import importlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, cast

import pytest
from mangum.types import LambdaContext
from sqlalchemy import make_url, text

from functions.http import app as http_app
from shared.accounts import store as user_store
from shared.accounts import token_store
from shared.accounts.tokens import new_token, token_hash
from shared.core import db, deadline, log
from shared.core.settings import Settings
from shared.services import Services
from tests.support.fault_proxy import CLEAR, FaultProxy, Way, fault_proxy
from tests.support.loops import loop_of_thread

LONG_MS = 40_000
RESERVED_S = 20.0
SHORT_MS = 21_000  # all but a second is reserved for the answer: for as long a busy machine may rest


class Context:
    """The part of Lambda's context that a handler uses."""

    def __init__(self, left_ms: int) -> None:
        self._ends = time.monotonic() * 1000 + left_ms

    def get_remaining_time_in_millis(self) -> int:
        return int(self._ends - time.monotonic() * 1000)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    json: Any


Call = Callable[..., Answer]


@pytest.fixture
def proxy(environment: dict[str, str]) -> Iterator[FaultProxy]:
    folder = make_url(environment["EASEL_DATABASE_URL"]).query["host"]
    with fault_proxy(f"{folder}/.s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
def token(services: Services) -> str:
    token = new_token()
    hashed = token_hash(token)
    assert hashed is not None
    with services.db.begin() as connection:
        user = user_store.create(connection, "ada@example.com", "no password")
        token_store.create_token(connection, user.id, hashed, kind="api", name="t", lifetime_s=None)
    return token


@contextmanager
def handlers(inside: Services, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Return a function that calls a handler on these services with one event and so much time left."""
    monkeypatch.setattr(Services, "from_environment", lambda: inside)
    monkeypatch.setattr(log, "configure", lambda _level: None)
    monkeypatch.setattr(http_app, "RESERVED_S", RESERVED_S)
    made: dict[str, Any] = {}

    def send(name: str, method: str, path: str, *, left_ms: int = LONG_MS, body: Any = None, **headers: str) -> Any:
        if name not in made:
            made[name] = http_app.lambda_handler(importlib.import_module(f"functions.{name}").router)
        answer = made[name](event(method, path, token, body, headers), Context(left_ms))
        text = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        return Answer(answer["statusCode"], answer["headers"], json.loads(text))

    try:
        with loop_of_thread():
            yield send
    finally:
        inside.db.close()


@pytest.fixture
def call(services: Services, proxy: FaultProxy, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Return a function that calls handlers whose database is behind the proxy."""
    url = f"postgresql+psycopg2://easel@127.0.0.1:{proxy.port}/postgres"
    inside = Services(services.settings.model_copy(update={"database_url": url, "database_pool": 1}))
    with handlers(inside, token, monkeypatch) as send:
        yield send


def event(method: str, path: str, token: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token}", "content-type": "application/json", **headers},
        "requestContext": {"http": http, "stage": "$default", "requestId": "r", "timeEpoch": 0},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def me(call: Call, left_ms: int = LONG_MS) -> Answer:
    return call("account", "GET", "/v1/me", left_ms=left_ms)


def jobs_of(services: Services) -> int:
    with services.db.statement() as connection:
        return int(connection.execute(text("SELECT count(*) FROM jobs")).scalar_one())


def test_a_frozen_function_notices_a_closed_connection(
    call: Call, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert me(call).status == 200
    query = text("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with services.db.statement() as connection:
        connection.execute(query)
    services.db.close()  # those in the pool are closed too, and the next test would use one of them
    monkeypatch.setattr(db, "IDLE_PING_S", 0.0)  # as after a long freeze
    assert me(call).status == 200


def test_a_connection_that_died_silently_while_frozen_is_replaced(
    call: Call, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert me(call).status == 200
    proxy.drop_quietly()
    monkeypatch.setattr(db, "IDLE_PING_S", 0.0)
    monkeypatch.setattr(db, "PING_LIMIT_S", 0.2)
    assert me(call).status == 200


@pytest.mark.parametrize("connected", [True, False])
def test_a_silent_database_is_reported_in_time_and_does_not_last(
    call: Call, proxy: FaultProxy, connected: bool
) -> None:
    if connected:
        assert me(call).status == 200
    proxy.way = Way(silent=True)
    context_ends = time.monotonic() + SHORT_MS / 1000
    assert_unavailable(me(call, SHORT_MS))
    assert time.monotonic() < context_ends
    proxy.way = CLEAR
    assert me(call).status == 200


def test_a_submit_cut_while_waiting_for_a_lock_makes_one_job_when_repeated(call: Call, services: Services) -> None:
    request = {"body": {"prompt": "a lighthouse at night"}, "idempotency-key": "once"}
    locked, release = Event(), Event()

    def hold() -> None:
        with services.db.begin() as connection:
            connection.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
            locked.set()
            release.wait(60)

    holder = Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        assert_unavailable(call("submit", "POST", "/v1/jobs", left_ms=SHORT_MS, **request))
    finally:
        release.set()
        holder.join(10)
    # Whether or not the server completed the cut request: the key finds its job.
    answers = [call("submit", "POST", "/v1/jobs", **request) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert jobs_of(services) == 1


def test_a_transaction_that_is_cut_leaves_nothing(call: Call, services: Services, token: str) -> None:
    job = call("submit", "POST", "/v1/jobs", body={"prompt": "x"}).json
    with services.db.begin() as connection:
        connection.execute(text("SELECT FROM users FOR UPDATE"))
        assert_unavailable(call("cancel", "POST", f"/v1/jobs/{job['id']}/cancel", left_ms=SHORT_MS))
    answer = call("status", "GET", f"/v1/jobs/{job['id']}")
    assert (answer.status, answer.json["state"]) == (200, "queued")


def test_without_a_context_nothing_is_cut(call: Call) -> None:
    assert http_app._deadline(None).__enter__() is None
    with http_app._deadline(cast(LambdaContext, Context(LONG_MS))):
        assert 0 < deadline.left_s() < LONG_MS / 1000
    assert deadline.left_s() == float("inf")


def test_lambda_keeps_one_connection(environment: dict[str, str]) -> None:
    assert Settings.from_environment(environment | {"AWS_LAMBDA_FUNCTION_NAME": "easel-status"}).database_pool == 1
    assert Settings.from_environment(environment).database_pool > 1


class SilentStorage:
    """A storage that accepts connections and never answers."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}"

    def count_connections(self) -> int:
        """Return the number of connections since the last count."""
        self._server.setblocking(False)
        count = 0
        with suppress(BlockingIOError):
            while True:
                self._server.accept()[0].close()
                count += 1
        return count


@pytest.fixture
def silent_storage() -> Iterator[SilentStorage]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield SilentStorage(server)


def test_a_silent_storage_is_reported_in_time_and_nothing_is_queued(
    services: Services, token: str, silent_storage: SilentStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Services(services.settings.model_copy(update={"s3_endpoint": silent_storage.url}))
    with handlers(inside, token, monkeypatch) as send:
        upload = send("upload", "POST", "/v1/uploads", body={"content_type": "image/png", "size": 100})
        start = {"prompt": "x", "source_images": [upload.json["key"]]}
        assert_unavailable(send("submit", "POST", "/v1/jobs", body=start, left_ms=SHORT_MS))
        assert jobs_of(services) == 0
        health = send("health", "GET", "/v1/health", left_ms=SHORT_MS)
    assert health.status == 503
    well = dict.fromkeys(("database", "broker", "poller"), "ok")
    assert health.json["checks"] == well | {"storage": "The storage cannot be reached."}
    assert silent_storage.count_connections() == 2, "one attempt each: there is no time for another"
