"""A small HTTP server on a free loopback port, the base of the fake generators."""

import json
import select
import socket
import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from shared.generators.addresses import GeneratorAddress

_KEPT_REQUESTS = 1000
_POLL_S = 0.02
_MAX_BODY_BYTES = 256 * 1024 * 1024
_MAX_LINE_BYTES = 64 * 1024


class FakeServer(ABC):
    """Serves inside `with`, each connection in a separate thread; all threads end with the block.

    Every fake generator counts its calls by name (`counts`), and keeps the fields of the last 1000 generation requests
    as received (`requests`), the number in flight (`in_flight`) and its maximum. While `down` is true, it answers 503.
    `options` are those of its address. It serves on `port`, by default on any free one.
    """

    protocol: str
    port = 0

    def __init__(self, max_in_flight: int, options: Mapping[str, str] | None = None) -> None:
        self.max_in_flight = max_in_flight
        self.options = dict(options or {})
        self.down = False
        self.counts: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self.in_flight = 0
        self.most_in_flight = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Return the server's URL, `http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def address(self) -> GeneratorAddress:
        """Return the server's address as `connect` takes it."""
        return GeneratorAddress(
            self.protocol, self.url, self.max_in_flight, options=tuple(sorted(self.options.items()))
        )

    @property
    def setting(self) -> str:
        """Return the server's entry in EASEL_GENERATORS."""
        return f"{self.protocol}+{self.url}?{urlencode({'max_in_flight': self.max_in_flight} | self.options)}"

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @abstractmethod
    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call; bytes are sent as the body unchanged.

        `fields` are what `read` returned, or those of the query, as text.
        """

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Return the fields of a body, JSON by default. `headers` have names in lower case.

        Raises:
            ValueError: It cannot be read.
        """
        fields = json.loads(body)
        if not isinstance(fields, dict):
            raise ValueError("not an object")
        return fields

    def is_allowed(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Return whether a call with these headers may be made; others are answered with 401."""
        return True

    def respond(
        self,
        method: str,
        path: str,
        fields: dict[str, Any],
        is_gone: Callable[[], bool],  # noqa: ARG002
    ) -> tuple[int, Any] | None:
        """Return what `answer` returns, for a server that waits first; None sends no answer.

        `is_gone` returns whether the caller has hung up.
        """
        return self.answer(method, path, fields)


class DrawingServer(FakeServer):
    """A fake that draws while its caller waits.

    hold(): requests wait until `release()`, or until their caller hangs up.
    counts: `received` (requests that can be drawn), `abandoned` (the caller hung up on a held one).
    requests: the fields of the last 1000 of them, as received.
    """

    def __init__(self, max_in_flight: int, options: Mapping[str, str] | None = None) -> None:
        super().__init__(max_in_flight, options)
        self._free = threading.Event()
        self._free.set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        super().__exit__(kind, error, trace)

    def hold(self) -> None:
        """Hold requests from now on, until `release()`."""
        self._free.clear()

    def release(self) -> None:
        """Answer requests immediately again, including the held ones."""
        self._free.set()

    @abstractmethod
    def draws(self, method: str, path: str, fields: dict[str, Any]) -> bool:
        """Return whether this call asks for a picture that can be drawn."""

    def respond(
        self, method: str, path: str, fields: dict[str, Any], is_gone: Callable[[], bool]
    ) -> tuple[int, Any] | None:
        """Return what `answer` returns, after the wait for `release()`; None if the caller hung up meanwhile."""
        if self.down or not self.draws(method, path, fields):
            return self.answer(method, path, fields)
        with self._lock:
            self.counts["received"] += 1
            self.requests.append(fields)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            while not self._free.wait(_POLL_S):
                if is_gone():
                    self.counts["abandoned"] += 1
                    return None
            return self.answer(method, path, fields)
        finally:
            with self._lock:
                self.in_flight -= 1


class _Server(ThreadingTCPServer):
    """Serves each connection in a thread; all threads end with the server."""

    daemon_threads = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, fake: FakeServer) -> None:
        super().__init__(("127.0.0.1", fake.port), _Handler)
        self.fake = fake
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that hangs up during a request."""

    def hang_up(self) -> None:
        """Close the kept-alive connections, so that their threads end."""
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(StreamRequestHandler):
    """Serves one connection. Benchmarks run on it, so it reads only the headers that matter, and writes once."""

    disable_nagle_algorithm = True
    timeout = 60

    def handle(self) -> None:
        while (answer := self._exchange()) is not None:
            self._send(*answer)

    def _send(self, status: int, value: object) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def _exchange(self) -> tuple[int, Any] | None:
        """Read a request and return the HTTP status and the value of its answer; None ends the connection."""
        words = self.rfile.readline(_MAX_LINE_BYTES).split()
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(_MAX_LINE_BYTES)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.partition(b":")
            headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()
        length = int(headers.get("content-length", 0))
        if length > _MAX_BODY_BYTES:
            self._send(413, {"error": "too large"})
        if len(words) != 3 or length > _MAX_BODY_BYTES:
            return None
        method, target = words[0].decode(), urlsplit(words[1].decode())
        body = self.rfile.read(length)
        fake = cast(_Server, self.server).fake
        if not fake.is_allowed(headers):
            return 401, {"error": "unauthorized"}
        if method != "POST":
            fields = dict(parse_qsl(target.query, keep_blank_values=True))
            return fake.respond(method, target.path, fields, self._is_gone)
        try:
            fields = fake.read(headers, body)
        except ValueError:
            return 422, {"error": "unreadable"}
        return fake.respond(method, target.path, fields, self._is_gone)

    def _is_gone(self) -> bool:
        """Return whether the caller has hung up.

        A client sends no second request before the first is answered, so readable data means the end of the connection.
        """
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)
