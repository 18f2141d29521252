"""A proxy between Easel and one of its partners, over a network that can be made bad while it runs."""

import asyncio
import contextlib
import math
import random
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

_CHUNK = 65536
_LOOK_S = 0.01
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
_ENDS = b"\r\n\r\n"


@dataclass(frozen=True)
class Way:
    """What happens on the way to the partner and back.

    latency_s, jitter_s: each piece of an answer comes so much later, and at random up to so much more. bytes_per_s: so
    fast are answers. refuses: connections are reset as soon as they are opened. silent: connections are accepted, and
    nothing passes any more, as if packets were dropped. cut_after: an answer is cut by a reset after so many bytes.
    linger_s: the end of an answer's connection comes so late.

    Only of HTTP: `status` is answered with `headers` and `body` in place of the partner; with `loses_reply` a request
    gets through, and its connection is reset instead of an answer. `of`: only requests whose first line has these
    words. `times`: only the first of them, None for all.
    """

    latency_s: float = 0
    jitter_s: float = 0
    bytes_per_s: float = math.inf
    refuses: bool = False
    silent: bool = False
    cut_after: int | None = None
    linger_s: float = 0
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    loses_reply: bool = False
    of: str = ""
    times: int | None = None


CLEAR = Way()


class FaultProxy:
    """Carries bytes between a port of 127.0.0.1 and `target`: a port, or the path of a unix socket.

    `way` may be changed at any time, and concerns open connections, too. An `http` proxy carries requests one by one,
    each over a connection of its own. `met` counts the requests or connections that the way has concerned, `held` those
    that have something to pass and are silent.
    """

    def __init__(self, target: str | int, *, http: bool = False) -> None:
        self._target = target
        self._http = http
        self._way = CLEAR
        self._met = self.held = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._dropped: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def way(self) -> Way:
        """Return how the network is now."""
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way, self._met = way, 0

    @property
    def met(self) -> int:
        """Return how many requests or connections the way has concerned."""
        return self._met

    def drop_quietly(self) -> None:
        """Stop passing bytes on the open connections; new ones work."""
        self._run(self._drop())

    def reset_all(self) -> None:
        """Reset every open connection, as a partner that is killed."""
        self._run(self._reset_all())

    def close(self) -> None:
        """End everything."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:  # whatever it returns
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _drop(self) -> None:
        self._dropped |= self._writers

    async def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reset_all()
        await asyncio.sleep(0)

    def _concerns(self, line: str) -> bool:
        """Return whether the way concerns a new request or connection."""
        way = self._way
        if way.of not in line:
            return False
        if way.times is not None and self._met >= way.times:
            return False
        self._met += way is not CLEAR
        return True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._way.refuses and self._concerns(""):
                _reset(writer)
            elif self._http:
                await self._serve_request(reader, writer)
            else:
                concerned = self._way if self._concerns("") else CLEAR
                await self._connect(reader, writer, concerned.cut_after)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            _reset(writer)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            self._dropped.discard(writer)
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            reader, writer = await asyncio.open_unix_connection(self._target)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.add(writer)
        return reader, writer

    async def _connect(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter, cut_after: int | None) -> None:
        """Carry bytes in both directions until one end closes."""
        await self._hold(writer)
        far, far_writer = await self._open()
        try:
            there = asyncio.create_task(self._carry(near, far_writer, writer, None))
            back = asyncio.create_task(self._carry(far, writer, writer, cut_after))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            if back.done():
                await asyncio.sleep(self._way.linger_s)
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        finally:
            self._writers.discard(far_writer)
            far_writer.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        near: asyncio.StreamWriter,
        cut_after: int | None,
    ) -> None:
        left = math.inf if cut_after is None else cut_after
        while data := await reader.read(_CHUNK):
            await self._hold(near)
            if writer is near:
                await self._delay(len(data), self._way)
            writer.write(data[: int(min(len(data), left))])
            left -= len(data)
            await writer.drain()
            if left <= 0:
                _reset(writer)
                return

    async def _hold(self, near: asyncio.StreamWriter) -> None:
        self.held += 1
        try:
            while self._way.silent or near in self._dropped:
                await asyncio.sleep(_LOOK_S)
        finally:
            self.held -= 1

    async def _delay(self, size: int, way: Way) -> None:
        await asyncio.sleep(way.latency_s + random.random() * way.jitter_s + size / way.bytes_per_s)

    async def _serve_request(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await near.readuntil(_ENDS)
        body = await near.readexactly(_length(head))
        way = self._way if self._concerns(head.split(b"\r\n", 1)[0].decode("latin-1")) else CLEAR
        if way.silent:
            await self._hold(writer)
        if way.status is not None:
            writer.write(_answer(way))
            await writer.drain()
            return
        far, far_writer = await self._open()
        try:
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            far_writer.write(b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]) + body)
            await far_writer.drain()
            answer = await far.readuntil(_ENDS)
            left = _length(answer) if b" 204 " not in lines[0] and not head.startswith(b"HEAD ") else 0
            if way.loses_reply:
                await far.readexactly(left)
                _reset(writer)
                return
            # The partner may ignore that its connection is to be closed; the client must not use this one again.
            pieces = answer.replace(_ENDS, b"\r\nConnection: close" + _ENDS, 1) + await far.readexactly(left)
            await self._delay(len(pieces), way)
            writer.write(pieces[: way.cut_after])
            await writer.drain()
            if way.cut_after is not None and way.cut_after < len(pieces):
                _reset(writer)
            await asyncio.sleep(way.linger_s)
        finally:
            self._writers.discard(far_writer)
            far_writer.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _answer(way: Way) -> bytes:
    headers = [*way.headers, ("Content-Length", str(len(way.body))), ("Connection", "close")]
    lines = [f"HTTP/1.1 {way.status} Any", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + _ENDS + way.body


def _reset(writer: asyncio.StreamWriter) -> None:
    transport = writer.transport
    if not transport.is_closing():
        end: socket.socket | None = transport.get_extra_info("socket")
        if end is not None and end.family != socket.AF_UNIX:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


@contextlib.contextmanager
def fault_proxy(target: str | int, *, http: bool = False) -> Iterator[FaultProxy]:
    """Run a proxy for the duration of the block."""
    proxy = FaultProxy(target, http=http)
    try:
        yield proxy
    finally:
        proxy.close()
