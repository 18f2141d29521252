"""Limits on connections for a gateway without a proxy in front of it: time, bytes, and how many there may be.

uvicorn limits only the pause between two requests; httptools keeps a head of any size. Here a caller who is slow, or
who opens many connections, costs only their own: a head and a body have a time each, and when all connections are
taken, the one that has waited longest for its caller makes room.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

from functions.http.client_address import network_of, parse_address
from functions.http.problems import render
from functions.http.protocol import PlainHttp
from shared.core.errors import BadRequest, EaselError, HeadTooLarge, TooSlow, Unavailable
from shared.core.limits import MAX_BODY_BYTES
from shared.core.setting_types import Network

THIS_MACHINE = (ip_network("127.0.0.0/8"), ip_network("::1"))
"""A caller from here is a proxy or the operator."""

FILES_KEPT = 200
"""Open files that are not for callers: connections to the database and the storage, modules, logs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may take. Long polls wait after their head, so that none of these times is theirs.

    `request_bytes` is more than the API reads: a caller whose body is too large must be able to read the answer.
    """

    head_s: float = 10.0
    body_s: float = 30.0
    answer_s: float = 60.0
    linger_s: float = 2.0
    head_bytes: int = 16 * 1024
    request_bytes: int = 16 * MAX_BODY_BYTES
    in_all: int = 8192
    per_address: int = 256


@dataclass
class Connections:
    """The open connections of a process.

    usual: the headers of every answer. shared: networks whose connections belong to many callers, such as a proxy's.
    """

    limits: Limits = field(default_factory=Limits)
    usual: Mapping[str, str] = field(default_factory=dict)
    shared: Sequence[Network] = THIS_MACHINE
    by_address: Counter[str] = field(default_factory=Counter)
    waiting: "dict[BoundedHttp, None]" = field(default_factory=dict)
    """Those that wait for their callers, the longest first."""
    open: int = 0

    def __post_init__(self) -> None:
        """Allow as many connections as the process may have files, after raising that number as far as it goes."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.limits.in_all + FILES_KEPT
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        files = wanted if soft == resource.RLIM_INFINITY else soft
        self.most = max(1, min(self.limits.in_all, files - FILES_KEPT))

    def admit(self, address: str | None) -> bool:
        """Count a new connection; return whether it may be used. No address: one that only the total limits."""
        self.open += 1
        if address is not None:
            self.by_address[address] += 1
            if self.by_address[address] > self.limits.per_address:
                return False
        if self.open > self.most and self.waiting:
            next(iter(self.waiting)).end(TooSlow())
            return True
        return self.open <= self.most

    def release(self, address: str | None) -> None:
        """Forget a connection."""
        self.open -= 1
        if address is not None:
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]


class BoundedHttp(PlainHttp):
    """The gateway's protocol for one connection.

    It waits for its caller from the beginning until a head is complete, then until the body is, and after the answer
    until the next head. Meanwhile it has a timer, and is in `Connections.waiting`.
    """

    def __init__(self, *, connections: Connections, **given: Any) -> None:  # noqa: ANN401 # uvicorn's
        super().__init__(**given)
        self._connections = connections
        self._limits = connections.limits
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._address: str | None = None
        self._counted = self._in_request = self._in_head = self._ended = False
        self._requests = self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Begin a connection, or refuse it where there are too many."""
        super().connection_made(transport)
        self._address = self._counted_address()
        self._counted = True
        if self._connections.admit(self._address):
            self._wait_for_caller(self._limits.head_s)
        else:
            self.end(Unavailable("There are too many connections."))

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        if self._counted:
            self._counted = False
            self._connections.release(self._address)
        self._stop_waiting()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come, within the limits."""
        if self._ended:
            return  # read and dropped, so that the caller can read the answer
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait_for_caller(self._limits.head_s)  # a line break before a request ends uvicorn's own timer, too
        own_from = self._requests + (not self._in_request)
        super().data_received(data)
        if self._in_request and self._requests <= own_from:  # otherwise a part of it belongs to a request before
            self._received += len(data)
            self._check_bytes()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        if self._ended:
            return
        self._requests += 1
        self._in_request = self._in_head = True
        self._received = 0
        self._wait_for_caller(self._limits.head_s)

    def on_headers_complete(self) -> None:
        """Begin a body, unless the head is too large."""
        if self._ended:
            return
        if not self.offers_upgrade():
            self._in_head = False
            if (
                len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
                > self._limits.head_bytes
            ):
                self.end(HeadTooLarge())
                return
            self._wait_for_caller(self._limits.body_s)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if not self._ended:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request: from here on its caller waits for the answer."""
        if self._ended:
            return
        if not self.offers_upgrade():
            self._in_request = False
            self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_unread()
        elif self._timer is None and self.timeout_keep_alive_task is not None:
            self._connections.waiting[self] = None

    def pause_writing(self) -> None:
        """Give a caller who does not read the answer a time to begin."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.answer_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with an answer."""
        super().resume_writing()
        self._stop_write_timer()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is not used."""
        super().timeout_keep_alive_handler()
        self._abort_unread()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP like any other request that cannot be read."""
        self.end(BadRequest(msg))

    def end(self, error: EaselError) -> None:
        """Answer with an error, unless an answer has begun, and close the connection.

        What still comes is dropped for a while: a connection that is closed with bytes unread is reset, and its caller
        loses the answer.
        """
        if self._ended:
            return
        self._ended = True
        self._stop_waiting()
        self._unset_keepalive_if_required()
        if self.pipeline or self.transport.is_closing():
            self.transport.abort()  # in the middle of an answer to an earlier request
            return
        if self._awaits_answer():
            self.transport.write(self._error_bytes(error))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(self._limits.linger_s, self.transport.abort)

    def _awaits_answer(self) -> bool:
        """Return whether the caller has begun a request, or a connection, that no answer has begun for."""
        if self.cycle is None or self._in_head:
            return self.cycle is None or self.cycle.response_complete or not self.cycle.response_started
        return not self.cycle.response_started

    def _error_bytes(self, error: EaselError) -> bytes:
        answer = render(error)
        headers = {name.lower(): value for name, value in self._connections.usual.items()}
        headers |= {**answer.headers, "connection": "close"}
        line = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        head = line + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        return head.encode("latin-1") + bytes(answer.body)

    def _check_bytes(self) -> None:
        if self._in_head and self._received > self._limits.head_bytes:
            self.end(HeadTooLarge())
        elif self._received > self._limits.request_bytes:
            self.end(TooSlow())

    def _wait_for_caller(self, seconds: float) -> None:
        """Begin to wait, at most so long in all."""
        self._stop_waiting()
        self._connections.waiting[self] = None
        self._timer = self.loop.call_later(seconds, self._too_slow, seconds)

    def _too_slow(self, seconds: float) -> None:
        if self.flow.read_paused:  # this process has not read on meanwhile
            self._timer = self.loop.call_later(seconds, self._too_slow, seconds)
        else:
            self.end(TooSlow())

    def _stop_waiting(self) -> None:
        self._connections.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _abort_unread(self) -> None:
        """End a closed connection whose caller does not read the rest of the answer."""
        if self.transport.get_write_buffer_size():
            self.loop.call_later(self._limits.answer_s, self.transport.abort)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _counted_address(self) -> str | None:
        """Return the network that a connection counts for, None for that of a proxy."""
        if self.client is None:
            return None
        address = parse_address(self.client[0])
        if address is None or any(address in network for network in self._connections.shared):
            return None
        return network_of(address)
