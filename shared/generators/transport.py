"""HTTP to an untrusted service: every exchange is bounded in time and in bytes.

The read time-outs of HTTP libraries start again with every byte, so that a server which sends one byte a second blocks
a caller for hours. Here the time-out covers the whole answer, status line and headers included: the connection's socket
is read through a file that has a deadline and can be stopped before it.
"""

import io
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.core.public_addresses import Refused, is_beyond_the_link, look_up
from shared.generators.base import (
    GeneratorBroken,
    GeneratorError,
    GeneratorStopped,
    GeneratorUnavailable,
    Room,
    Stop,
    never_stop,
    no_room,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 256 * 1024

CONNECTIONS = 256
"""The number of connections that are kept open for threads that share a client."""
_STOP_POLL_S = 0.2

# Whether this thread's exchange is to stop. Three layers of libraries lie between `send` and the file that asks, and
# none of them passes it on.
_stop: ContextVar[Stop] = ContextVar("stop", default=never_stop)
# The same for the addresses that it may connect to.
_allowed: ContextVar[Callable[[str], bool]] = ContextVar("allowed", default=is_beyond_the_link)

# In urllib3 a refused connection (NewConnectionError) is a subclass of its time-outs.
_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError)


class _DeadlineFile(io.RawIOBase):
    """A socket's bytes until a deadline; after it, every read times out. A stop takes effect within 0.2 s."""

    def __init__(self, sock: socket.socket, seconds: float | None) -> None:
        self._sock = sock
        # Keeps the socket open for as long as this file is. It is not read, because it refuses to be after a time-out.
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = float("inf") if seconds is None else time.monotonic() + seconds
        self._stop = _stop.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        while (left := self._deadline - time.monotonic()) > 0:
            if self._stop():
                raise GeneratorStopped()
            self._sock.settimeout(min(left, _STOP_POLL_S))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                continue
        raise TimeoutError("the whole answer took too long")

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """A socket whose files apply the time-out to the whole answer; everything else is the socket's."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str = "rb", *_args: object, **_named: object) -> io.BufferedReader:
        """Return the file of one answer; called after the time-out of the exchange was set."""
        return io.BufferedReader(_DeadlineFile(self._sock, self._sock.gettimeout()))

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


class InnerAddress(GeneratorUnavailable):
    """A name leads to an address that must not be connected to."""

    def __init__(self) -> None:
        super().__init__("generator_unreachable", "The generator could not be reached.")


class _CheckedConnection(HTTPConnection):
    """A connection to an allowed address, whatever the name service says of the host.

    The addresses are looked up once and checked before anything is sent to one of them, so that not even an open port
    of an inner machine can be recognised.
    """

    def connect(self) -> None:
        super().connect()
        self.sock = cast(socket.socket, _DeadlineSocket(self.sock))

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = look_up(name, self.port, _allowed.get())
        except Refused:
            raise InnerAddress from None
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, str(error)) from error
        failure: Exception = NewConnectionError(self, "no address")
        try:
            for address in addresses:
                self._dns_host = address  # the certificate is checked for the name, which is back by then
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
        finally:
            self._dns_host = name
        raise failure


class _CheckedTlsConnection(_CheckedConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTlsConnection


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as received: the HTTP status, the body as bytes, and the seconds of `Retry-After` if there are any."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class BoundedHttp:
    """Kept-alive connections to one base URL: no redirects, no cookies, no proxies or passwords from the environment.

    `headers` are sent with every exchange, such as one with a key. Nothing is sent to an IP address that is not
    `allowed`, whatever the name service answers. Threads may share it. Only the system's resolver limits the look-up of
    the host name.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout_s: float,
        headers: Mapping[str, str] | None = None,
        allowed: Callable[[str], bool] = is_beyond_the_link,
    ) -> None:
        parts = urlsplit(url)
        self._path = parts.path.rstrip("/")
        self._connect_timeout_s = connect_timeout_s
        self._allowed = allowed
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"} | dict(headers or {})
        if parts.username is not None:
            password = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            # Servers read Latin-1 where RFC 7617's `charset` is absent; other scripts have only UTF-8.
            encoding = "latin-1" if max(password) <= "\xff" else "utf-8"
            self._headers |= urllib3.make_headers(basic_auth=password, basic_auth_encoding=encoding)
        # A manager of one pool: a faulty host name is an error of the call, and a closed client may be used again.
        self._pools = urllib3.PoolManager(1, maxsize=CONNECTIONS, cert_reqs="CERT_REQUIRED", ca_certs=certifi.where())
        self._pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        self._server = (parts.hostname, parts.port, parts.scheme)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        timeout_s: float,
        limit_bytes: int,
        stop: Stop = never_stop,
        content_type: str = "application/json",
        room: Room = no_room,
    ) -> Answer:
        """Make one exchange; the caller checks the status.

        `timeout_s` covers the whole answer, `limit_bytes` its body. `content_type` is that of `body`. `room` is called
        before the body of a success is read. Soon after `stop` returns True the connection is closed.

        Raises:
            GeneratorUnavailable: not reached, or too slow; InnerAddress for an address that is not allowed.
            GeneratorBroken: cut off, too large, compressed or not HTTP.
            GeneratorStopped: `stop` returned True.
        """
        asked, reaching = _stop.set(stop), _allowed.set(self._allowed)
        try:
            headers = self._headers if body is None else self._headers | {"Content-Type": content_type}
            response = self._ask(method, self._path + path, body, headers, timeout_s)
            if response.status in (200, 201, 202):
                room()
            return _read_answer(response, limit_bytes)
        finally:
            _stop.reset(asked)
            _allowed.reset(reaching)

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout_s: float
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer whose head was read."""
        try:
            return self._pools.connection_from_host(*self._server).urlopen(
                method,
                path,
                body,
                headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=urllib3.Timeout(connect=self._connect_timeout_s, read=timeout_s),
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _translate(error, body_began=False) from error


def _read_answer(response: urllib3.BaseHTTPResponse, limit_bytes: int) -> Answer:
    """Return the answer with its body, and give its connection back. Raises GeneratorError."""
    try:
        body = _read_body(response.headers, response.read, limit_bytes)
        return Answer(response.status, body, _retry_after_s(response.headers))
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        response.close()
        raise _translate(error, body_began=True) from error
    except GeneratorError:
        response.close()
        raise
    finally:
        response.release_conn()


def _read_body(headers: Mapping[str, str], read: Callable[..., bytes], limit_bytes: int) -> bytes:
    """Return the body.

    Raises:
        GeneratorBroken: It is compressed or too large.
    """
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise GeneratorBroken(
            "generator_encoded", "The generator sent a compressed answer, which was not asked for.", lasting=True
        )
    announced = headers.get("Content-Length", "")
    if announced.isdecimal() and (len(announced) > 15 or int(announced) > limit_bytes):
        raise _too_large()
    body = bytearray()
    while block := read(min(_BLOCK_BYTES, limit_bytes + 1), decode_content=False):
        body += block
        if len(body) > limit_bytes:
            raise _too_large()
    return bytes(body)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, which is a number or a date; None for anything else."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _too_large() -> GeneratorBroken:
    message = "The generator's answer is larger than the request allows."
    return GeneratorBroken("generator_too_large", message, lasting=True)


def _translate(error: Exception, *, body_began: bool) -> GeneratorError:
    """Return the error for an exception of an HTTP library, which wraps the first cause several times."""
    chain = list(_chain(error))
    if any(isinstance(link, (NewConnectionError, ConnectTimeoutError)) for link in chain):
        return GeneratorUnavailable("generator_unreachable", "The generator could not be reached.")
    if any(isinstance(link, _TIMEOUTS) for link in chain):
        return GeneratorUnavailable("generator_timeout", "The generator did not answer in time.")
    if body_began or any(isinstance(link, IncompleteRead) for link in chain):
        return GeneratorBroken("generator_cut_off", "The generator's answer stopped in the middle.")
    if any(isinstance(link, HTTPException) and not isinstance(link, RemoteDisconnected) for link in chain):
        return GeneratorBroken("generator_bad_http", "The generator's answer is not HTTP.")
    return GeneratorUnavailable("generator_hung_up", "The generator closed the connection without an answer.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its causes, and theirs. Some libraries keep the cause only among the arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__, *link.args]
