"""A scriptable server with the API of AUTOMATIC1111 over real HTTP, for tests and benchmarks.

    with FakeSdapi() as fake:
        client = connect(fake.address)

As the real one it draws one picture at a time, goes on when its caller hangs up, and names the task that it draws. Its
pictures have one colour, that of their seed.
"""

import base64
import io
import json
import re
import threading
from binascii import Error as NoBase64
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from PIL import Image

from shared.testing.fake_server import FakeServer

SAMPLERS = ("Euler a", "Euler", "DPM++ 2M")
UPSCALERS = ("None", "Lanczos", "Nearest")
MODEL = "fake.safetensors [0123456789]"
_DRAWS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")
_DATA_URL = re.compile("data:image/[a-z]+;base64,")


def colour(seed: int) -> tuple[int, int, int]:
    """Return the colour (RGB) of the picture of a seed."""
    return (seed * 40 % 256, seed * 70 % 256, 120)


class FakeSdapi(FakeServer):
    """Serves on a free loopback port inside `with`. Its attributes may be changed while it runs.

    as_data_urls: whether pictures begin with `data:`, as those of some servers do.
    names_task: whether `progress` names the task, as AUTOMATIC1111 and Forge do and others do not.
    lacks: paths that it does not have, such as `/sdapi/v1/interrogate`.
    password: `user:password` that calls need, if any.
    down: while true, every call is answered with 503.
    hold(): pictures wait until `release()` or an interrupt.
    counts: `received` and `drawn` (pictures), `described`, `upscaled`, `interrupted`, `refused`.
    requests: the fields of the last 1000 requests for pictures, as received.
    """

    protocol = "sdapi"

    def __init__(
        self, *, max_in_flight: int = 4, password: str | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(max_in_flight, options)
        self.password = password
        self.as_data_urls = False
        self.names_task = True
        self.lacks: frozenset[str] = frozenset()
        self.current_task: str | None = None
        self._model = MODEL
        self._drawing = threading.Lock()
        self._go_on = threading.Condition()
        self._held = False
        self._interrupts = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        super().__exit__(kind, error, trace)

    def hold(self) -> None:
        """Hold pictures from now on, until `release()`."""
        self._held = True

    def release(self) -> None:
        """Draw immediately again, the held picture and those that wait for it too."""
        with self._go_on:
            self._held = False
            self._go_on.notify_all()

    def is_allowed(self, headers: Mapping[str, str]) -> bool:
        """Return whether a call has the password, if one is needed."""
        if self.password is None:
            return True
        return headers.get("authorization") == "Basic " + base64.b64encode(self.password.encode()).decode()

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Return the fields of a body; `interrupt` comes without one."""
        return super().read(headers, body or b"{}")

    def respond(
        self, method: str, path: str, fields: dict[str, Any], is_gone: Callable[[], bool]
    ) -> tuple[int, Any] | None:
        """Return what `answer` returns; pictures are drawn one after the other."""
        if method != "POST" or path not in _DRAWS or self.down or path in self.lacks or _wrong(path, fields):
            return self.answer(method, path, fields)
        with self._lock:
            self.counts["received"] += 1
            self.requests.append(fields)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            with self._drawing:
                self.current_task = fields.get("force_task_id")
                self._wait()
                self.current_task = None
            return None if is_gone() else self.answer(method, path, fields)
        finally:
            with self._lock:
                self.in_flight -= 1

    def _wait(self) -> None:
        with self._go_on:
            before = self._interrupts
            self._go_on.wait_for(lambda: not self._held or self._interrupts > before)

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call."""
        if self.down:
            return 503, {"detail": "down"}
        call = path.removeprefix("/sdapi/v1/")
        if path in self.lacks or call == path:
            return 404, {"detail": "Not Found"}
        if method == "POST" and path in _DRAWS:
            return self._draw(path, fields)
        posts: dict[str, Callable[[dict[str, Any]], tuple[int, Any]]] = {
            "extra-single-image": self._upscale,
            "interrogate": self._describe,
            "interrupt": self._interrupt,
            "options": self._set_options,
            "png-info": lambda _: (200, {"info": "", "items": {}, "parameters": {}}),
        }
        if method == "POST" and call in posts:
            return posts[call](fields)
        return self._read(call) if method == "GET" else (404, {"detail": "Not Found"})

    def _read(self, call: str) -> tuple[int, Any]:
        values: dict[str, Any] = {
            "options": {"samples_format": "png", "sd_model_checkpoint": self._model},
            "sd-models": [{"title": MODEL, "model_name": "fake", "hash": "0123456789", "sha256": None}],
            "samplers": [{"name": name, "aliases": [], "options": {}} for name in SAMPLERS],
            "schedulers": [{"name": "automatic", "label": "Automatic", "aliases": None}],
            "upscalers": [{"name": name, "model_name": None, "model_path": None, "scale": 4} for name in UPSCALERS],
            "scripts": {"txt2img": [], "img2img": []},
            "progress": self._progress(),
        }
        return (200, values[call]) if call in values else (404, {"detail": "Not Found"})

    def _progress(self) -> dict[str, Any]:
        busy = self.current_task is not None
        state = {"skipped": False, "interrupted": False, "job": "", "job_count": int(busy), "job_no": 0}
        progress = {"progress": 0.5 if busy else 0.0, "eta_relative": 0.0, "state": state, "current_image": None}
        return progress | ({"current_task": self.current_task} if self.names_task else {})

    def _draw(self, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        if wrong := _wrong(path, fields):
            self.counts["refused"] += 1
            return wrong
        count = fields.get("batch_size", 1) * fields.get("n_iter", 1)
        first = fields.get("seed", -1)
        first = 4 if first == -1 else first
        seeds = [first + index for index in range(count)]
        size = (fields.get("width", 512), fields.get("height", 512))
        self.counts["drawn"] += count
        model = fields.get("override_settings", {}).get("sd_model_checkpoint", self._model)
        info = {
            "prompt": fields.get("prompt", ""),
            "seed": first,
            "all_seeds": seeds,
            "sampler_name": fields.get("sampler_name") or fields.get("sampler_index") or SAMPLERS[0],
            "sd_model_name": model.split(".")[0],
            "index_of_first_image": 0,
        }
        images = [self._encode(Image.new("RGB", size, colour(seed))) for seed in seeds]
        parameters = {name: value for name, value in fields.items() if name not in ("init_images", "mask")}
        return 200, {"images": images, "parameters": parameters, "info": json.dumps(info)}

    def _upscale(self, fields: dict[str, Any]) -> tuple[int, Any]:
        image, factor = _picture(fields.get("image")), fields.get("upscaling_resize", 2)
        if image is None or fields.get("upscaler_1", "None") not in UPSCALERS:
            return 500, {"error": "HTTPException", "detail": "Invalid encoded image", "body": "", "errors": ""}
        self.counts["upscaled"] += 1
        scaled = image.resize((round(image.width * factor), round(image.height * factor)))
        return 200, {"html_info": "", "image": self._encode(scaled)}

    def _describe(self, fields: dict[str, Any]) -> tuple[int, Any]:
        image = _picture(fields.get("image"))
        if image is None or fields.get("model", "clip") not in ("clip", "deepdanbooru"):
            return 404, {"detail": "Model not found"}
        self.counts["described"] += 1
        return 200, {"caption": f"a plain picture of {image.width} by {image.height} pixels"}

    def _interrupt(self, _: dict[str, Any]) -> tuple[int, Any]:
        self.counts["interrupted"] += 1
        with self._go_on:
            self._interrupts += 1
            self._go_on.notify_all()
        return 200, {}

    def _set_options(self, fields: dict[str, Any]) -> tuple[int, Any]:
        self._model = fields.get("sd_model_checkpoint", self._model)
        return 200, None

    def _encode(self, image: Image.Image) -> str:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        data = base64.b64encode(buffer.getvalue()).decode()
        return f"data:image/png;base64,{data}" if self.as_data_urls else data


def _picture(text: object) -> Image.Image | None:
    """Return the picture that a field holds, with or without `data:`; None if it holds none."""
    if not isinstance(text, str):
        return None
    try:
        with Image.open(io.BytesIO(base64.b64decode(_DATA_URL.sub("", text), validate=True))) as image:
            image.load()
            return image
    except (OSError, NoBase64):
        return None


def _wrong(path: str, fields: dict[str, Any]) -> tuple[int, Any] | None:
    """Return the refusal of a request for pictures, as far as the tests need it, or None."""
    for name, default in (("width", 512), ("height", 512), ("steps", 50), ("batch_size", 1), ("n_iter", 1)):
        if type(value := fields.get(name, default)) is not int or value < 1:
            return 422, {"detail": [{"loc": ["body", name], "msg": "value is not a valid integer"}]}
    if (fields.get("sampler_name") or SAMPLERS[0]) not in SAMPLERS:
        return 400, {"detail": "Sampler not found"}
    if path.endswith("img2img"):
        sources = fields.get("init_images")
        if not sources:
            return 404, {"detail": "Init image not found"}
        if any(_picture(source) is None for source in sources):
            return 500, {"error": "HTTPException", "detail": "Invalid encoded image", "body": "", "errors": ""}
    return None
