"""Callers that are slow, that send too much, or that open many connections cost only themselves."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest

from functions.http.connections import THIS_MACHINE, BoundedHttp, Connections, Limits
from shared.core.setting_types import Network
from tests.support.listening import listening
from tests.support.waiting import until

HEADERS = {"X-Content-Type-Options": "nosniff"}
HEAD = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
PLENTY_S = 60
"""A time that no test waits for."""


class Echo:
    """An app that answers with the number of bytes of the body. `/held` waits until it is released."""

    def __init__(self) -> None:
        self.released, self.held, self.gone = threading.Event(), 0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size, message = 0, {"type": "http.request", "more_body": True}
        while message.get("more_body"):
            message = await receive()
            size += len(message.get("body", b""))
        if message["type"] == "http.disconnect":
            self.gone += 1
            return
        if scope["path"] == "/held":
            self.held += 1
            await asyncio.to_thread(self.released.wait, PLENTY_S)
        words = str(size).encode() if scope["path"] != "/large" else b"x" * 30_000_000
        head = [(b"content-length", str(len(words)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": words})


@contextmanager
def serving(app: Any = None, shared: Sequence[Network] = (), **limits: float) -> Iterator[tuple[str, Connections]]:
    """Serve with generous limits except those named; yield host:port and the connections."""
    usual = {"head_s": PLENTY_S, "body_s": PLENTY_S, "answer_s": PLENTY_S} | limits
    connections = Connections(Limits(**usual), HEADERS, shared)  # type: ignore[arg-type] # whole numbers are among them
    protocol: Any = partial(BoundedHttp, connections=connections)
    with listening(app or Echo(), http=protocol, lifespan="off", proxy_headers=False) as address:
        yield address, connections
    assert (connections.open, connections.by_address, connections.waiting) == (0, {}, {})


def connect(address: str) -> socket.socket:
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=PLENTY_S)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def check_refusal(answer: bytes, status: int, code: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert {"connection: close", "x-content-type-options: nosniff", f"content-length: {len(body)}"} <= set(lines)
    assert json.loads(body)["code"] == code


def ask(address: str, path: str = "/", body: bytes | None = None) -> bytes:
    connection = http.client.HTTPConnection(address, timeout=PLENTY_S)
    try:
        connection.request("POST" if body else "GET", path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def trickling(connection: socket.socket, data: bytes) -> Iterator[None]:
    """Send these bytes one by one, for as long as the block runs and the server takes them."""
    done = threading.Event()

    def send() -> None:
        for byte in data:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            if done.wait(0.05):
                return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("sent", [b"", b"\r\n" * 1000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000])
def test_a_head_that_trickles_is_ended(sent: bytes) -> None:
    with serving(head_s=0.5) as (address, _), connect(address) as connection, trickling(connection, sent):
        check_refusal(read_all(connection), 408, "too_slow")


def test_a_body_that_trickles_is_ended_and_its_function_learns_it() -> None:
    app = Echo()
    with serving(app, body_s=0.5) as (address, _), connect(address) as connection:
        connection.sendall(HEAD)
        with trickling(connection, b"x" * 99):
            check_refusal(read_all(connection), 408, "too_slow")
        until(lambda: app.gone == 1, "the function ends")


def test_a_second_request_that_trickles_is_ended() -> None:
    with serving(head_s=0.5) as (address, _), connect(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        first, _, rest = read_all(connection).partition(b"\r\n\r\n0")
        assert first.startswith(b"HTTP/1.1 200")
        check_refusal(rest, 408, "too_slow")


def test_slow_callers_do_not_keep_others_from_being_served() -> None:
    with serving(head_s=3) as (address, connections), ExitStack() as stack:
        slow = [stack.enter_context(connect(address)) for _ in range(30)]
        for connection in slow:
            stack.enter_context(trickling(connection, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000))
        until(lambda: connections.open == 30, "all are connected")
        for _ in range(20):
            assert ask(address, "/body", b"x" * 1000) == b"1000"
        for connection in slow:
            check_refusal(read_all(connection), 408, "too_slow")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"y" * 17_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000 + b"\r\n",
        b"GET /" + b"y" * 17_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 17_000,  # without an end
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: " + b"y" * 400_000,
    ],
)
def test_a_head_of_more_than_16_kib_is_refused(head: bytes) -> None:
    with serving() as (address, _), connect(address) as connection:
        connection.sendall(head)
        *_, last = read_all(connection).split(b"HTTP/1.1 ")
        check_refusal(b"HTTP/1.1 " + last, 431, "head_too_large")


def test_a_head_of_almost_16_kib_is_answered_whole_or_in_pieces() -> None:
    head = b"GET / HTTP/1.1\r\nX: " + b"y" * 16_000 + b"\r\n\r\n"
    with serving() as (address, _), connect(address) as connection:
        for pieces in (1, 4, 400):
            size = len(head) // pieces
            for start in range(0, len(head), size):
                connection.sendall(head[start : start + size])
            assert connection.recv(12) == b"HTTP/1.1 200"
            while not connection.recv(65536).endswith(b"\r\n\r\n0"):
                pass


def test_a_body_without_an_end_is_not_read_for_ever() -> None:
    with serving(request_bytes=100_000) as (address, _), connect(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        for _ in range(20):
            connection.sendall(chunk)
        check_refusal(read_all(connection), 408, "too_slow")


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    with serving(answer_s=0.5) as (address, connections), connect(address) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: connections.by_address.total() == 1, "it is connected")
        until(lambda: connections.open == 0, "the connection is given up")


def test_a_request_that_waits_for_its_answer_has_no_limit() -> None:
    """As a long poll does, with times far below the 20 s it may take."""
    app = Echo()
    with serving(app, head_s=0.3, body_s=0.3, answer_s=0.3) as (address, _), connect(address) as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: app.held == 1, "it waits")
        with connect(address) as slow:
            check_refusal(read_all(slow), 408, "too_slow")  # later than any of those times
        app.released.set()
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_connection_is_used_again() -> None:
    with serving() as (address, connections):
        connection = http.client.HTTPConnection(address, timeout=PLENTY_S)
        for size in (0, 10, 300_000, 0):
            connection.request("POST", "/body", b"x" * size)
            assert connection.getresponse().read() == str(size).encode()
            assert connections.by_address.total() == 1
        connection.close()


def test_an_address_has_a_number_of_connections() -> None:
    with serving(per_address=3) as (address, connections), ExitStack() as stack:
        held = [stack.enter_context(connect(address)) for _ in range(3)]
        until(lambda: connections.open == 3, "three are connected")
        with connect(address) as fourth:
            check_refusal(read_all(fourth), 503, "unavailable")
        held[0].close()
        until(lambda: connections.open == 2, "one has gone")
        assert ask(address) == b"0"


def test_this_machine_and_a_proxy_may_have_more() -> None:
    with serving(shared=THIS_MACHINE, per_address=1) as (address, connections), connect(address):
        until(lambda: connections.open == 1, "one is connected")
        assert ask(address) == b"0"


def test_when_all_connections_are_taken_the_longest_waiting_one_makes_room() -> None:
    with serving(in_all=3) as (address, connections), ExitStack() as stack:
        first, second, third = (stack.enter_context(connect(address)) for _ in range(3))
        until(lambda: connections.open == 3, "three are connected")
        assert ask(address) == b"0"
        check_refusal(read_all(first), 408, "too_slow")
        until(lambda: connections.open == 2, "two are left")
        for connection in (second, third):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"


def test_when_all_connections_wait_for_answers_another_one_is_refused() -> None:
    app = Echo()
    with serving(app, in_all=2) as (address, connections), ExitStack() as stack:
        held = [stack.enter_context(connect(address)) for _ in range(2)]
        for connection in held:
            connection.sendall(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: app.held == 2, "both wait")
        with connect(address) as another:
            check_refusal(read_all(another), 503, "unavailable")
        app.released.set()
        for connection in held:
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert connections.by_address.total() == 2


def test_what_is_no_http_gets_the_usual_headers() -> None:
    with serving() as (address, _), connect(address) as connection:
        connection.sendall(b"\x16\x03\x01 something else\r\n\r\n")
        check_refusal(read_all(connection), 400, "bad_request")
