"""A scriptable AI Horde over real HTTP, for tests and benchmarks.

    with FakeHorde(polls=2) as fake:
        client = connect(fake.address)

Its pictures are WebP files of one colour, that of their seed, as base64 or behind links to the horde itself.
"""

import base64
import io
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from shared.testing.fake_server import FakeServer

STEP_PX, MOST_PX, MOST_PICTURES = 64, 3072, 20
WORKER, MODEL = "fake worker", "stable_diffusion"
WAIT_S = 2
"""What an unfinished request says of its wait. Some clients ask again at once while it is less."""


def colour(seed: int) -> tuple[int, int, int]:
    """Return the colour (RGB) of the picture of a seed, nearly: WebP changes it a little."""
    return (seed * 40 % 256, seed * 70 % 256, 120)


@dataclass(slots=True)
class _Waiting:
    """A request, and how often it was asked about."""

    fields: dict[str, Any]
    checks: int = 0
    cancelled: bool = False
    pictures: list[str] = field(default_factory=list)


class FakeHorde(FakeServer):
    """Serves on a free loopback port inside `with`. Its attributes may be changed while it runs.

    polls: how many questions about a request are told that it is unfinished.
    links: whether pictures are links; otherwise they are base64.
    accounts: the kudos of each key; an unknown key is refused.
    price: the kudos that a request needs in advance.
    possible, faulted, censored: what becomes of the requests.
    seeds: whether each picture names its seed; some workers draw several at once and name that of the first.
    down: while true, every call is answered with 503; `busy`: requests are answered with 429.
    counts: `initiated`, `checks`, `results`, `cancelled`, `fetched` (pictures behind links), `refused`.
    requests: the fields of the last 1000 requests, as received, with `apikey` and `client_agent`.
    """

    protocol = "horde"

    def __init__(self, *, polls: int = 0, max_in_flight: int = 4, options: Mapping[str, str] | None = None) -> None:
        super().__init__(max_in_flight, options)
        self.polls = polls
        self.links = False
        self.accounts = {"0000000000": 0.0, "key": 1000.0}
        self.price = 0.0
        self.possible = True
        self.faulted = False
        self.censored = 0
        self.seeds = True
        self.busy = False
        self._call = threading.local()
        self._by_id: dict[str, _Waiting] = {}
        self._files: dict[str, bytes] = {}

    def restart(self) -> None:
        """Forget all requests, as a horde does with those that expire."""
        with self._lock:
            self._by_id.clear()
            self.in_flight = 0

    def is_allowed(self, headers: Mapping[str, str]) -> bool:
        """Remember the key of the call that this thread answers. Most calls need none."""
        self._call.key = headers.get("apikey", "")
        self._call.agent = headers.get("client-agent", headers.get("client_agent", ""))
        return True

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call; pictures are bytes."""
        if self.down:
            return 503, _error("down", "MaintenanceMode")
        if (method, path) == ("POST", "/api/v2/generate/async"):
            return self._initiate(fields)
        if method == "GET" and path in self._files:
            self.counts["fetched"] += 1
            return 200, self._files[path]
        call, _, request_id = path.removeprefix("/api/v2/").rpartition("/")
        with self._lock:
            if (method, call) == ("GET", "generate/check"):
                return self._check(request_id)
            if method in ("GET", "DELETE") and call == "generate/status":
                return self._status(request_id, cancel=method == "DELETE")
        return self._about(method, path)

    def _about(self, method: str, path: str) -> tuple[int, Any]:
        if method != "GET":
            return 404, _error("Not found", "NotFound")
        model = {"name": MODEL, "count": 1, "performance": 1.0, "queued": 0.0, "jobs": 0.0, "eta": 0, "type": "image"}
        if path == "/api/v2/find_user":
            return self._find_user()
        values = {"/api/v2/status/heartbeat": {"message": "OK", "version": "4"}, "/api/v2/status/models": [model]}
        return (200, values[path]) if path in values else (404, _error("Not found", "NotFound"))

    def _find_user(self) -> tuple[int, Any]:
        kudos = self.accounts.get(self._call.key)
        if kudos is None:
            return 404, _error("No user matching sent API Key.", "UserNotFound")
        return 200, {"username": "somebody#1", "id": 1, "kudos": kudos, "concurrency": 30, "trusted": False}

    def _initiate(self, fields: dict[str, Any]) -> tuple[int, Any]:
        fields = fields | {"apikey": self._call.key, "client_agent": self._call.agent}
        kudos = self.accounts.get(self._call.key)
        refusal: tuple[int, Any] | None = None
        if kudos is None:
            refusal = 401, _error("No user matching sent API Key.", "InvalidAPIKey")
        elif self.busy:
            refusal = 429, _error("Parallel requests exceeded user limit.", "TooManyPrompts")
        elif wrong := _wrong(fields):
            refusal = 400, wrong
        elif self.price > kudos:
            refusal = 403, _error(f"This request requires {self.price} kudos to fulfil.", "KudosUpfront")
        if refusal:
            self.counts["refused"] += 1
            return refusal
        request_id = str(uuid.uuid4())
        with self._lock:
            self._by_id[request_id] = _Waiting(fields)
            self.counts["initiated"] += 1
            self.requests.append(fields)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return 202, {"id": request_id, "kudos": self.price or 10.0}

    def _check(self, request_id: str) -> tuple[int, Any]:
        request = self._by_id.get(request_id)
        if request is None:
            return 404, _error(f"Image Waiting Prompt with ID '{request_id}' not found.", "RequestNotFound")
        self.counts["checks"] += 1
        return 200, self._look(request)

    def _look(self, request: _Waiting) -> dict[str, Any]:
        """Count a question about a request, and return what is told of it."""
        request.checks += 1
        if request.checks == self.polls + 1 and not request.cancelled:
            self.in_flight -= 1
        return self._progress(request)

    def _progress(self, request: _Waiting) -> dict[str, Any]:
        count = request.fields.get("params", {}).get("n", 1)
        done = self.faulted or (self.possible and not request.cancelled and request.checks > self.polls)
        drawing = not done and self.possible and request.checks > 1
        return {
            "finished": count if done and not self.faulted else 0,
            "processing": count if drawing else 0,
            "restarted": 0,
            "waiting": 0 if done or drawing else count,
            "done": done,
            "faulted": self.faulted,
            "wait_time": 0 if done else WAIT_S,
            "queue_position": 0 if done or drawing else 1,
            "kudos": 10.0 if done else 0.0,
            "is_possible": self.possible,
        }

    def _status(self, request_id: str, *, cancel: bool) -> tuple[int, Any]:
        request = self._by_id.get(request_id)
        if request is None:
            return 404, _error(f"Image Waiting Prompt with ID '{request_id}' not found.", "RequestNotFound")
        self.counts["cancelled" if cancel else "results"] += 1
        if cancel and not request.cancelled:
            request.cancelled = True
            self.in_flight -= request.checks <= self.polls
        progress = self._progress(request) if cancel else self._look(request)
        made = self._generations(request) if progress["done"] and not self.faulted else []
        return 200, progress | {"generations": made, "shared": False}

    def _generations(self, request: _Waiting) -> list[dict[str, Any]]:
        params = request.fields.get("params", {})
        models = request.fields.get("models") or [MODEL]
        made = []
        for index in range(params.get("n", 1)):
            seed = int(params.get("seed", "4")) + index if self.seeds else int(params.get("seed", "4"))
            if len(request.pictures) <= index:
                request.pictures.append(self._picture(params, int(params.get("seed", "4")) + index))
            made.append(
                {
                    "img": request.pictures[index],
                    "seed": str(seed),
                    "id": str(uuid.uuid4()),
                    "censored": index < self.censored,
                    "gen_metadata": [],
                    "worker_id": str(uuid.uuid5(uuid.NAMESPACE_URL, WORKER)),
                    "worker_name": WORKER,
                    "model": models[0],
                    "state": "censored" if index < self.censored else "ok",
                }
            )
        return made[::-1]  # workers finish in any order

    def _picture(self, params: dict[str, Any], seed: int) -> str:
        factor = 1
        for name in params.get("post_processing", []):
            factor = {"RealESRGAN_x2plus": 2, "RealESRGAN_x4plus": 4}.get(name, 1)
        size = (params.get("width", 512) * factor, params.get("height", 512) * factor)
        buffer = io.BytesIO()
        Image.new("RGB", size, colour(seed)).save(buffer, "WEBP", method=0)
        if not self.links:
            return base64.b64encode(buffer.getvalue()).decode()
        path = f"/pictures/{uuid.uuid4()}.webp"
        self._files[path] = buffer.getvalue()
        return f"{self.url}{path}?signature=x"


def _error(message: str, code: str) -> dict[str, str]:
    return {"message": message, "rc": code}


def _wrong(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the error of a request that no horde takes, as far as the tests need it, or None."""
    params = fields.get("params") or {}
    if not fields.get("prompt"):
        return _error("You cannot specify an empty prompt.", "MissingPrompt")
    for name in ("width", "height"):
        if type(size := params.get(name, 512)) is not int or size % STEP_PX or not STEP_PX <= size <= MOST_PX:
            return _error("Invalid size. The image dimensions have to be multiples of 64.", "InvalidSizeError")
    if not 1 <= params.get("n", 1) <= MOST_PICTURES:
        return {"errors": {"params.n": "out of range"}, "message": "Input payload validation failed"}
    if not isinstance(params.get("seed", ""), str):
        return {"errors": {"params.seed": "is not of type 'string'"}, "message": "Input payload validation failed"}
    if params.get("denoising_strength", 1) < 0.01:
        return {"errors": {"params.denoising_strength": "too small"}, "message": "Input payload validation failed"}
    return None
