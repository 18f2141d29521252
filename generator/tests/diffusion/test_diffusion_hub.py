"""Models of a hub. A server here speaks the three calls that the hub's published client makes."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.engines.diffusion.folder import BadModel
from generator.engines.diffusion.hub import check_room

ROOT = Path(__file__).parents[3]
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


@pytest.fixture
def hub(models: dict[str, Path], tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub"
    for file in models["plain"].rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(models["plain"])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
    for unread in (
        unet.with_name("diffusion_pytorch_model.fp16.safetensors"),
        unet.with_name("diffusion_pytorch_model.bin"),
        folder / "everything.safetensors",
        folder / "safety_checker" / "model.safetensors",
    ):
        unread.parent.mkdir(exist_ok=True)
        unread.write_bytes(b"not for the engine")
    hub = Hub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield hub
    server.shutdown()
    server.server_close()


def find(hub: Hub, tmp_path: Path, name: str = "painters/tiny") -> str:
    """Return what a process of its own, since the client reads its settings when imported, finds for a name."""
    program = (
        "import sys\nfrom generator.engines.diffusion.folder import BadModel, find_folder, read_parts\n"
        "try:\n    folder = find_folder(sys.argv[1])\n    read_parts(folder)\n    print('folder', folder)\n"
        "except BadModel as error:\n    print(error)"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "ignore", "-c", program, name]
    run = subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
    return run.stdout.strip()


def test_only_what_the_engine_reads_is_fetched(hub: Hub, tmp_path: Path) -> None:
    found = Path(find(hub, tmp_path).removeprefix("folder "))
    weights = sorted(str(path.relative_to(found)) for path in found.rglob("*.safetensors"))
    assert weights == [
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    assert not [name for name in hub.fetched if name.endswith((".bin", ".fp16.safetensors"))]
    assert (found / "unet" / "config.json").read_bytes() == (hub.folder / "unet" / "config.json").read_bytes()


def test_without_the_hub_the_model_fetched_before_is_used(hub: Hub, tmp_path: Path) -> None:
    first = find(hub, tmp_path)
    hub.url = "http://127.0.0.1:9"
    assert find(hub, tmp_path) == first
    assert find(hub, tmp_path, "painters/other") == "painters/other is not here and the hub cannot be reached"


def test_half_precision_is_fetched_where_there_is_no_other(hub: Hub, tmp_path: Path) -> None:
    unet = hub.folder / "unet" / "diffusion_pytorch_model.safetensors"
    unet.replace(unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert find(hub, tmp_path).startswith("folder ")
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in hub.fetched


def test_a_revision_may_be_named(hub: Hub, tmp_path: Path) -> None:
    assert find(hub, tmp_path, "painters/tiny@v1.5").endswith(COMMIT)


def test_an_unknown_model_is_named(hub: Hub, tmp_path: Path) -> None:
    assert find(hub, tmp_path, "painters/none").startswith("the hub has no model painters/none")


def test_a_model_too_large_is_refused_before_it_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.sizes["unet/diffusion_pytorch_model.safetensors"] = 2**40
    assert find(hub, tmp_path).startswith("painters/tiny has 1099.5 GB to fetch; at most 69 are")
    assert not hub.fetched


def test_a_model_that_does_not_fit_on_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**9))
    check_room("painters/tiny", 10**9)
    with pytest.raises(BadModel, match=r"has 2.0 GB to fetch and .* has 1.0 GB left"):
        check_room("painters/tiny", 2 * 10**9)
