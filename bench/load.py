"""The load generator: a separate process that keeps a few connections busy for some seconds and counts the answers.

It reads a plan as JSON from standard input: {"port", "seconds", "connections", "status", "requests"}. Each connection
sends its share of `requests` (complete HTTP/1.1 requests) repeatedly, the next one after each answer. It prints the
answers per second. An answer with another status is an error.
"""

import asyncio
import json
import sys
import time
from itertools import cycle
from typing import Any, cast

import uvloop

ANSWER_LIMIT_S = 20
_MARK = b"content-length: "


class Busy(asyncio.Protocol):
    """One persistent connection that always has one request in flight until the time is over."""

    def __init__(self, requests: list[bytes], status: int, until: float) -> None:
        self.answers = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._requests = cycle(requests)
        self._start_line = f"HTTP/1.1 {status} ".encode()
        self._until = until
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Send the next request once the whole answer is there."""
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        mark = self._received.lower().find(_MARK, 0, head)
        length = int(self._received[mark + len(_MARK) : self._received.find(b"\r", mark)])
        if len(self._received) < head + 4 + length:
            return
        if not self._received.startswith(self._start_line):
            self._end(RuntimeError(f"unexpected answer: {self._received[:1000]!r}"))
            return
        self._received = b""
        if time.perf_counter() >= self._until:
            self._end(None)
            return
        self.answers += 1
        self._transport.write(next(self._requests))

    def connection_lost(self, _error: Exception | None) -> None:
        """Report a connection that the server closed as an error."""
        self._end(RuntimeError("the server closed a connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error) if error else self.ended.set_result(None)
            self._transport.close()


async def rate(plan: dict[str, Any]) -> float:
    """Run the plan and return the answers per second."""
    loop = asyncio.get_running_loop()
    requests = [request.encode() for request in plan["requests"]]
    connections = plan["connections"]
    begin = time.perf_counter()
    busy = [Busy(requests[place::connections], plan["status"], begin + plan["seconds"]) for place in range(connections)]
    for protocol in busy:
        await loop.create_connection(lambda protocol=protocol: protocol, "127.0.0.1", plan["port"])  # type: ignore[misc]
    async with asyncio.timeout(plan["seconds"] + ANSWER_LIMIT_S):
        await asyncio.gather(*(protocol.ended for protocol in busy))
    return float(sum(protocol.answers for protocol in busy) / plan["seconds"])


if __name__ == "__main__":
    print(uvloop.run(rate(json.load(sys.stdin))))
