"""Requests over a real connection that offer to go on in another protocol keep their bodies."""

import http.client
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from functions.http.connections import BoundedHttp, Connections
from tests.support.listening import listening

OFFER = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the method, the path, the number of headers called Upgrade, and the body."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    offers = sum(name == b"upgrade" for name, _ in scope["headers"])
    words = f"{scope['method']} {scope['raw_path'].decode()} {offers} ".encode() + body
    head = [(b"content-length", str(len(words)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": words})


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(echo, http=partial(BoundedHttp, connections=Connections()), lifespan="off") as address:
        yield address


@pytest.mark.parametrize("offer", [{}, OFFER, {"Connection": "Upgrade", "Upgrade": "websocket"}])
def test_a_body_arrives_whatever_is_offered(address: str, offer: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(address, timeout=20)
    for size in (0, 5, 1_000_000):  # one connection for all of them
        connection.request("POST", "/a%20b?x=1", b"x" * size, headers=offer)
        assert connection.getresponse().read() == b"POST /a%20b 0 " + b"x" * size
    connection.request("POST", "/chunks", iter([b"one", b"two"]), headers=offer, encode_chunked=True)
    assert connection.getresponse().read() == b"POST /chunks 0 onetwo"
    connection.request("GET", "/", headers=offer)
    assert connection.getresponse().read() == b"GET / 0 "
    connection.close()


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_requests_that_arrive_in_pieces_or_together_are_answered_in_order(address: str, piece: int) -> None:
    offer = "".join(f"{name}: {value}\r\n" for name, value in OFFER.items())
    sent = "".join(
        f"POST /{number} HTTP/1.1\r\nHost: x\r\n{offer}Content-Length: 4\r\n\r\nbody" for number in range(30)
    ).encode()
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for start in range(0, len(sent), piece):
            connection.sendall(sent[start : start + piece])
        with connection.makefile("rb") as answers:
            for number in range(30):
                wanted = f"POST /{number} 0 body".encode()
                while (line := answers.readline()) != b"\r\n":
                    assert line
                assert answers.read(len(wanted)) == wanted


@pytest.mark.parametrize(
    "start",
    [b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)
def test_what_is_no_request_for_this_server_ends(address: str, start: bytes) -> None:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(start)
        assert connection.recv(15) == b"HTTP/1.1 400 Ba"
