"""The load generator: a separate process that keeps a few connections busy for some seconds and counts the answers.

It reads a plan as JSON from the file that is named, or from standard input: {"port", "seconds", "connections",
"status", "requests", "every_s", "follows"}. Each connection sends its share of `requests` (complete HTTP/1.1 requests)
repeatedly, the next one after each answer, but not sooner than `every_s` after the last was due. With `follows` it does
as a page of the site that waits for its job: a moment after each answer it asks again and names the answer's tag. It
prints {"rate", "p50_ms", "p99_ms"} as JSON: the answers per second, and the percentiles of the time from when a request
was due to its answer. An answer with another status is an error, unless it is a 304.
"""

import asyncio
import json
import sys
import time
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any, cast

import uvloop

ANSWER_LIMIT_S = 20
PAGE_PAUSE_S = 0.3
_LENGTH, _TAG = b"content-length: ", b"etag: "


class Busy(asyncio.Protocol):
    """One persistent connection that always has one request in flight until the time is over."""

    def __init__(self, requests: list[bytes], status: int, until: float, every_s: float, *, follows: bool) -> None:
        self.seconds: list[float] = []
        self.ended = asyncio.get_running_loop().create_future()
        self._requests = cycle(requests)
        self._start_lines = tuple(f"HTTP/1.1 {one} ".encode() for one in (status, 304))
        self._until = until
        self._every_s = every_s
        self._follows = follows
        self._tag = b""
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._due = time.perf_counter()
        self._send()

    def _send(self) -> None:
        request = next(self._requests)
        self._transport.write(b"%sIf-None-Match: %s\r\n\r\n" % (request[:-2], self._tag) if self._tag else request)

    def _send_next(self, now: float) -> None:
        """Send the next request when it is due; one that is late is measured from when it was due."""
        self._due = self._due + self._every_s if self._every_s else now + (PAGE_PAUSE_S if self._follows else 0)
        if self._due > now:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
        else:
            self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request once the whole answer is there."""
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        if len(self._received) < head + 4 + int(self._field(_LENGTH, head) or 0):
            return
        if not self._received.startswith(self._start_lines):
            self._end(RuntimeError(f"unexpected answer: {self._received[:1000]!r}"))
            return
        if self._follows:
            self._tag = self._field(_TAG, head)
        self._received = b""
        now = time.perf_counter()
        if now >= self._until:
            self._end(None)
            return
        self.seconds.append(now - self._due)
        self._send_next(now)

    def _field(self, name: bytes, head: int) -> bytes:
        """Return the value of a header of the answer, empty if it has none. head: where its headers end."""
        mark = self._received.lower().find(name, 0, head)
        return self._received[mark + len(name) : self._received.find(b"\r", mark)] if mark >= 0 else b""

    def connection_lost(self, _error: Exception | None) -> None:
        """Report a connection that the server closed as an error."""
        self._end(RuntimeError("the server closed a connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error) if error else self.ended.set_result(None)
            self._transport.close()


async def load(plan: dict[str, Any]) -> dict[str, float]:
    """Run the plan and return its figures."""
    loop = asyncio.get_running_loop()
    requests = [request.encode() for request in plan["requests"]]
    connections = plan["connections"]
    begin = time.perf_counter()
    busy = [
        Busy(
            requests[place::connections],
            plan["status"],
            begin + plan["seconds"],
            plan.get("every_s", 0),
            follows=plan.get("follows", False),
        )
        for place in range(connections)
    ]
    for protocol in busy:
        await loop.create_connection(lambda protocol=protocol: protocol, "127.0.0.1", plan["port"])  # type: ignore[misc]
    async with asyncio.timeout(plan["seconds"] + ANSWER_LIMIT_S):
        await asyncio.gather(*(protocol.ended for protocol in busy))
    seconds = [one for protocol in busy for one in protocol.seconds]
    known = seconds if len(seconds) > 1 else [plan["seconds"]] * 2  # next to no answer: it took all the time at least
    percentiles = [1000 * one for one in quantiles(known, n=100)]
    return {"rate": len(seconds) / plan["seconds"], "p50_ms": percentiles[49], "p99_ms": percentiles[98]}


if __name__ == "__main__":
    plan = Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else sys.stdin.read()
    print(json.dumps(uvloop.run(load(json.loads(plan)))))
