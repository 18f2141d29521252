"""A server between Easel and its S3 storage that is slow, refuses requests or loses replies."""

import http.client
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


def _ask(
    endpoint: str, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[http.client.HTTPResponse, bytes]:
    target = urlsplit(endpoint)
    upstream = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=60)
    try:
        upstream.request(method, path, body, headers)
        reply = upstream.getresponse()
        return reply, reply.read()
    finally:
        upstream.close()


@contextmanager
def faulty_storage(
    endpoint: str, *, delay_s: float = 0, refuses: bool = False, loses_replies: bool = False
) -> Iterator[str]:
    """Pass requests on to an S3 server, and yield the address to use instead of its own.

    delay_s: how much later each request is passed on. refuses: every other request is answered 503. loses_replies: the
    connection of every other PUT is closed after it was done, without an answer.
    """
    requests, puts = itertools.count(), itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(delay_s)
            if refuses and next(requests) % 2:
                self.answer(503, [("Content-Type", "text/plain")], b"")
                return
            reply, content = _ask(endpoint, self.command, self.path, body, dict(self.headers.items()))
            if loses_replies and self.command == "PUT" and next(puts) % 2:
                self.close_connection = True
                return
            self.answer(reply.status, reply.getheaders(), content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one  # noqa: N815 # http.server's names

        def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
