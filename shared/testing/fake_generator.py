"""A scriptable generator that speaks img_generator over real HTTP, for tests and benchmarks.

    with FakeGenerator(plan=Plan(polls=2)) as fake:
        client = connect(fake.address)

Its pictures are single-coloured PNGs of the right size, cached by size, so that it answers immediately.
"""

import base64
import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Literal

from PIL import Image

from shared.testing.fake_server import FakeServer

ALL_EXTENSIONS = frozenset({"key", "frames", "progress", "cancel", "wait", "preview", "scene"})
MAX_WAIT_S = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of one request: `polls` status calls report it as unfinished, then it ends.

    `finished` has results, `error` reports a failure, `forget` no longer knows the id, as after a restart. With
    `seconds` the request ends so long after it came, and no earlier; `FakeGenerator.finish` ends it at any time.

    A call with `wait_s` waits while `seconds` last. Each of the `polls` is a change, which is reported at once.
    """

    polls: int = 0
    seconds: float = 0
    ending: Literal["finished", "error", "forget"] = "finished"


@dataclass(slots=True)
class _Request:
    number: int
    fields: dict[str, Any]
    plan: Plan
    ends_at: float
    polls: int = 0
    cancelled: bool = False

    @property
    def is_running(self) -> bool:
        """Return whether its time has not come and it was not cancelled."""
        return self.ends_at > time.time() and not self.cancelled


class FakeGenerator(FakeServer):
    """Serves on a free loopback port inside `with`. Its attributes may be changed while it runs.

    plan: the outcome of every request; `plans` are used first, one per request.
    extensions: listed by `/health`; without any, `/health` answers 404, as a plain generator does.
    down: while true, every call is answered with 503.
    loading_s: while it is a number, `/health` says that the model is loading; new requests are accepted nevertheless.
    model: what `/health` lists as the model, if anything.
    counts: calls by name: `initiated` (new requests), `repeated` (known keys), `statuses`, `results`, `cancelled`.
    requests: the fields of the last 1000 new requests, as received.
    """

    protocol = "img_generator"

    def __init__(
        self,
        *,
        plan: Plan | None = None,
        plans: Iterable[Plan] = (),
        extensions: Iterable[str] = (),
        max_in_flight: int = 4,
    ) -> None:
        super().__init__(max_in_flight)
        self.plan = plan or Plan()
        self.plans = deque(plans)
        self.extensions = frozenset(extensions)
        self.loading_s: float | None = None
        self.model: dict[str, Any] | None = None
        self._last_number = 0
        self._by_id: dict[int, _Request] = {}
        self._by_key: dict[str, int] = {}
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._closing = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closing = True
            self._changed.notify_all()
        super().__exit__(kind, error, trace)

    @property
    def last_ended_at(self) -> float:
        """Return what `ended_at` returns for the last request."""
        return self.ended_at(self._last_number)

    def ended_at(self, number: int) -> float:
        """Return when a request with a plan with `seconds` ended or will end, as `time.time()` counts."""
        return self._by_id[number].ends_at

    @property
    def waiting(self) -> int:
        """Return how many calls wait for a change."""
        return self._waiting

    def finish(self, number: int) -> None:
        """End a request now, as its plan says."""
        with self._lock:
            request = self._by_id[number]
            request.ends_at = min(request.ends_at, time.time())
            request.polls = max(request.polls, request.plan.polls)
            self._changed.notify_all()

    def restart(self) -> None:
        """Forget all requests, as a generator does that keeps them in memory. Numbers start again at 1."""
        with self._lock:
            self._by_id.clear()
            self._by_key.clear()
            self._last_number = 0
            self.in_flight = 0
            self._changed.notify_all()

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call; bytes are sent as the body unchanged."""
        if self.down:
            return 503, {"error": "down"}
        if (method, path) == ("POST", "/initiate_processing"):
            return self._initiate(fields)
        if (method, path) == ("GET", "/health"):
            listed: dict[str, Any] = {"extensions": sorted(self.extensions), "engine": "fake"}
            if self.model is not None:
                listed["model"] = self.model
            if self.loading_s is not None:
                listed["loading"] = f"model is loading, about {self.loading_s:.0f} s"
            return (200, listed) if self.extensions else (404, {"error": "not found"})
        calls: dict[str, Callable[[_Request], tuple[int, Any]]]
        calls = {"/check_status": partial(self._shown_status, fields), "/get_results": self._results}
        if "cancel" in self.extensions:
            calls["/cancel"] = self._cancel
        if method != "POST" or path not in calls:
            return 404, {"error": "not found"}
        wait_s = fields.get("wait_s", 0) if path == "/check_status" else 0
        if not self._may_wait(wait_s):
            return 422, {"error": "bad parameter", "parameter": "wait_s"}
        with self._lock:
            request = self._find(fields)
            if request and wait_s:
                self._wait(request, wait_s)
                request = self._find(fields)
            return calls[path](request) if request else (404, {"error": "unknown id"})

    def _may_wait(self, wait_s: object) -> bool:
        number = isinstance(wait_s, int | float) and not isinstance(wait_s, bool) and 0 <= wait_s <= MAX_WAIT_S
        return number and (wait_s == 0 or "wait" in self.extensions)

    def _wait(self, request: _Request, wait_s: float) -> None:
        """Wait until the request ends, is cancelled or is forgotten, or the server closes."""
        until = time.time() + wait_s
        self._waiting += 1
        while (
            request.is_running
            and self._by_id.get(request.number) is request
            and not self._closing
            and (left := min(until, request.ends_at) - time.time()) > 0
        ):
            self._changed.wait(left)
        self._waiting -= 1

    def _find(self, fields: dict[str, Any]) -> _Request | None:
        return self._by_id.get(fields["id"]) if type(fields.get("id")) is int else None

    def _initiate(self, fields: dict[str, Any]) -> tuple[int, Any]:
        if wrong := _wrong_field(fields):
            return 422, {"error": "bad parameter", "parameter": wrong}
        key = fields.get("key") if "key" in self.extensions else None
        with self._lock:
            if key is not None and key in self._by_key:
                self.counts["repeated"] += 1
                return 200, self._by_key[key]
            self._last_number += 1
            plan = self.plans.popleft() if self.plans else self.plan
            self._by_id[self._last_number] = _Request(
                self._last_number, fields, plan, ends_at=time.time() + plan.seconds
            )
            if key is not None:
                self._by_key[key] = self._last_number
            self.counts["initiated"] += 1
            self.requests.append(fields)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            return 200, self._last_number

    def _shown_status(self, fields: dict[str, Any], request: _Request) -> tuple[int, Any]:
        if not fields.get("preview"):
            return self._status(request)
        if "preview" not in self.extensions:
            return 422, {"error": "bad parameter", "parameter": "preview"}
        code, status = self._status(request)
        shown = {"preview": _preview(request.polls)} if str(status).startswith("processing") else {}
        return code, {"status": status, **shown} if code == 200 else status

    def _status(self, request: _Request) -> tuple[int, Any]:
        self.counts["statuses"] += 1
        if request.is_running:
            return 200, "processing"
        request.polls += 1
        left = request.plan.polls - request.polls + 1
        if request.cancelled:
            return 200, "error"
        if left > 1 and request.polls == 1:
            return 200, f"queue position: {left - 1}"
        if left > 0:
            percent = 100 * request.polls // (request.plan.polls + 1)
            return 200, f"processing: {percent}%" if "progress" in self.extensions else "processing"
        if left == 0:
            self.in_flight -= 1
        if request.plan.ending == "forget":
            self._by_id.pop(request.number)
            return 404, {"error": "unknown id"}
        return 200, request.plan.ending

    def _results(self, request: _Request) -> tuple[int, Any]:
        self.counts["results"] += 1
        if request.cancelled or request.plan.ending != "finished" or request.polls <= request.plan.polls:
            return 409, {"error": "not finished"}
        return 200, _results(request.fields, with_frames="frames" in self.extensions)

    def _cancel(self, request: _Request) -> tuple[int, Any]:
        self.counts["cancelled"] += 1
        if request.polls <= request.plan.polls and not request.cancelled:
            self.in_flight -= 1
            request.cancelled = True
            self._changed.notify_all()
        return 200, {"cancelled": request.cancelled}


def _wrong_field(fields: dict[str, Any]) -> str | None:
    """Return the name of the first parameter out of range, as far as the tests need it, or None."""
    for name in ("n", "steps"):
        if not 1 <= fields.get(name, 1) <= 1000:
            return name
    for name in ("width", "height"):
        if fields.get(name, 512) % 8 or not 8 <= fields.get(name, 512) <= 8192:
            return name
    if "prompt" not in fields and not (fields.get("imgs") and fields.get("strength", 0.75) < 0):
        return "prompt"
    return None


def _results(fields: dict[str, Any], *, with_frames: bool) -> bytes:
    """Return the results of a request as JSON; sizes and number of the pictures follow the protocol."""
    upscale = max(1, fields.get("ups", 4))
    sources = fields.get("imgs", [])
    strength = fields.get("strength", 0.75)
    if sources and strength < 0:
        sizes = tuple(_size(base64.b64decode(source)) for source in sources)
    else:
        sizes = ((fields.get("width", 512), fields.get("height", 512)),) * fields.get("n", 1)
    described = len(sizes) if fields.get("desc") else 0
    if sources and strength < -1 and upscale <= 1:
        sizes = ()
    scaled = tuple((width * upscale, height * upscale) for width, height in sizes)
    frames = fields.get("frames", 0) if with_frames and strength >= 0 else 0
    return _results_json(scaled, described, frames, sizes[0] if frames else (8, 8))


@lru_cache(maxsize=64)
def _results_json(
    sizes: tuple[tuple[int, int], ...], described: int, frames: int, frame_size: tuple[int, int]
) -> bytes:
    answer: dict[str, Any] = {
        "imgs": [_picture(*size) for size in sizes],
        "descs": [f"a plain picture, number {index}" for index in range(described)],
    }
    if frames:
        answer["frames"] = [_picture(*frame_size)] * frames
    return json.dumps(answer).encode()


@lru_cache(maxsize=64)
def _picture(width: int, height: int) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(buffer, "PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode()


@lru_cache(maxsize=64)
def _preview(polls: int) -> str:
    """Return a picture that is another one after each status call."""
    buffer = io.BytesIO()
    tint = Image.new("L", (256, 256), polls * 20 % 256)
    Image.merge("RGB", (Image.linear_gradient("L"), Image.radial_gradient("L"), tint)).save(buffer, "WEBP")
    return base64.b64encode(buffer.getvalue()).decode()


def _size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size
