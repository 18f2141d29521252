"""A hub of models. It speaks the three calls that the hub's published client makes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """A hub with one model, `painters/tiny`, and what was fetched from it."""

    folder: Path
    sizes: dict[str, int] = field(default_factory=dict)
    """Sizes that are claimed for some files."""

    fetched: list[str] = field(default_factory=list)
    url: str = ""

    def files(self) -> dict[str, Path]:
        """Return the model's files by name."""
        return {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub of its class."""

    hub: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        files = self.hub.files()
        if path.startswith("/api/models/painters/tiny/revision/"):
            self._json({"id": "painters/tiny", "sha": COMMIT, "siblings": []})
        elif path == f"/api/models/painters/tiny/tree/{COMMIT}":
            self._json([self._entry(name, file) for name, file in files.items()])
        elif file := files.get(path.removeprefix(f"/painters/tiny/resolve/{COMMIT}/")):
            name = str(file.relative_to(self.hub.folder))
            self.hub.fetched += [name] if self.command == "GET" else []
            self._bytes(file.read_bytes(), etag(file), size=self.hub.sizes.get(name))
        else:
            self._bytes(b"", "none", 404)

    def _entry(self, name: str, file: Path) -> dict[str, object]:
        size = self.hub.sizes.get(name, file.stat().st_size)
        return {"type": "file", "path": name, "oid": etag(file), "size": size}

    def _json(self, value: object) -> None:
        self._bytes(json.dumps(value).encode(), "json")

    def _bytes(self, content: bytes, tag: str, status: int = 200, size: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size or len(content)))
        self.send_header("ETag", f'"{tag}"')
        self.send_header(
            "X-Repo-Commit" if status == 200 else "X-Error-Code", COMMIT if status == 200 else "RepoNotFound"
        )
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        """Keep the output of the tests clean."""


def etag(file: Path) -> str:
    """Return the name that the hub gives a file's content."""
    return sha1(file.read_bytes()).hexdigest()


@contextmanager
def serving_hub(folder: Path) -> Iterator[Hub]:
    """Serve the model in a folder."""
    hub = Hub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield hub
    server.shutdown()
    server.server_close()
