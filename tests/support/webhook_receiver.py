"""An HTTP server on the loopback interface that keeps the webhooks it gets."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple, Self


class Posted(NamedTuple):
    """A POST as received."""

    path: str
    headers: dict[str, str]
    body: bytes


class WebhookReceiver:
    """Serves inside `with`. `status` and `headers` are its answers; while `open` is not set it does not answer."""

    def __init__(self) -> None:
        self.posts: list[Posted] = []
        self.status, self.headers = 200, dict[str, str]()
        self.open = Event()
        self.open.set()

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append(Posted(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.open.wait(30)
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/easel?who=ada"
