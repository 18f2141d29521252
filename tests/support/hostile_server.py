"""A server that answers every connection with given raw bytes."""

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator

Reply = Callable[[socket.socket, threading.Event], None]


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def once(data: bytes) -> Reply:
    """Send the bytes and disconnect."""
    return lambda connection, _: connection.sendall(data)


def reset(data: bytes) -> Reply:
    """Send the bytes, then reset the connection."""

    def reply(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return reply


def endless(start: bytes, block: bytes) -> Reply:
    """Send the start, then the block repeatedly until the client disconnects."""

    def reply(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(start)
        while not stop.is_set():
            connection.sendall(block)

    return reply


def drip(start: bytes, byte: bytes, every_s: float = 0.02) -> Reply:
    """Send the start, then single bytes: without a pause long enough for a timeout, and without an end."""

    def reply(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(start)
        while not stop.wait(every_s):
            connection.sendall(byte)

    return reply


def in_turn(*replies: Reply) -> Reply:
    """Give each connection of a server the next reply, and the last one to all further connections."""
    given: Counter[threading.Event] = Counter()

    def reply(connection: socket.socket, stop: threading.Event) -> None:
        given[stop] += 1  # each server has its own event
        replies[min(given[stop], len(replies)) - 1](connection, stop)

    return reply


def silent(_: socket.socket, stop: threading.Event) -> None:
    """Send nothing."""
    stop.wait(30)


@contextlib.contextmanager
def hostile_server(reply: Reply) -> Iterator[str]:
    """Run such a server for the block; yield its URL."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not stop.is_set():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                if stop.is_set():
                    return
                connection.settimeout(5)
                _read_request(connection)
                reply(connection, stop)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        with contextlib.suppress(OSError):  # a connection that ends the wait for one
            socket.create_connection(listener.getsockname(), 1).close()
        thread.join(10)
        listener.close()


def _read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (block := connection.recv(65536)):
            return
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and (block := connection.recv(65536)):
        body += block
