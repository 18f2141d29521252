"""A storage that answers 503 to every other request, or loses its replies: jobs go on, and nothing is fetched twice."""

import http.client
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.integration.polling.test_pump import pumping
from tests.support.waiting import until
from tests.support.world import World, with_settings

JOBS = 6


@contextmanager
def faulty(endpoint: str, *, refuses: bool, loses_replies: bool) -> Iterator[str]:
    """Pass requests to an S3 server, except every other one; lose every other reply to a PUT. Yield the address."""
    target = urlsplit(endpoint)
    requests, puts = itertools.count(), itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if refuses and next(requests) % 2:
                self.answer(503, [("Content-Type", "text/plain")], b"")
                return
            upstream = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=60)
            try:
                upstream.request(self.command, self.path, body, dict(self.headers.items()))
                reply = upstream.getresponse()
                content = reply.read()
            finally:
                upstream.close()
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
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("refuses", "loses_replies"), [(True, False), (True, True)])
def test_each_picture_is_fetched_once(
    world: World, services: Services, generator: FakeGenerator, refuses: bool, loses_replies: bool
) -> None:
    generator.max_in_flight = JOBS
    world.poller.addresses = (generator.address,)
    world.poller.sweep()
    with faulty(services.settings.s3_endpoint, refuses=refuses, loses_replies=loses_replies) as endpoint:
        world.poller.services = with_settings(services, s3_endpoint=endpoint)
        jobs = [world.submit(world.user()) for _ in range(JOBS)]
        with pumping(world.poller, 8):
            until(lambda: all(world.state(job_id) == "succeeded" for job_id in jobs), "all jobs", 60)
        world.poller.services.db.close()
    assert generator.counts["results"] == JOBS
    for job_id in jobs:
        world.check_one_set(job_id, 1)
