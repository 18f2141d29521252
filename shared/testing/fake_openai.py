"""A scriptable server that speaks OpenAI's Images API over real HTTP, in the ways of several real servers.

    with FakeOpenAi(owner="sglang") as fake:
        client = connect(fake.address)

A picture of seed s is filled with the colour `colour(s)`; without a seed, picture k of a call has `colour(k)`.
"""

import base64
import io
import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Literal

from PIL import Image

from shared.testing.fake_server import DrawingServer

_TAG = re.compile("<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>")
_SIZE = re.compile("[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")


def colour(seed: int) -> tuple[int, int, int]:
    """Return the colour (RGB) of a picture of this seed."""
    return (seed * 53 % 256, seed * 101 % 256, seed // 256 % 256)


class FakeOpenAi(DrawingServer):
    """Serves on a free loopback port inside `with`. Its attributes may be changed while it runs.

    owner: of its model, in the list of models, by which clients recognise a server; None: an entry without more than
        its id, as LocalAI has it.
    base: the path below which its calls are.
    default_format: of the answer, where the request names none.
    refuses: the fields that it refuses, as strict servers do; all others that it does not know are ignored.
    most_n: the pictures that it makes at most in a call, whatever was asked for.
    errors: the form of its errors: an object, a text or problem+json in `error` or `detail`.
    key: the key that every call must have.
    sizes, longest_prompt: the only sizes that it makes, as text, and the most characters of a prompt; None: any.
    counts: also `models`, `generated` (calls), `downloads` and `refused`.
    """

    protocol = "openai"

    def __init__(
        self,
        *,
        owner: str | None = "vllm",
        model: str = "fake/diffusion",
        default_format: Literal["b64_json", "url"] = "b64_json",
        refuses: Collection[str] = (),
        most_n: int = 10,
        errors: Literal["error", "text", "detail", "problem", "plain"] = "error",
        max_in_flight: int = 4,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(max_in_flight, options)
        self.owner = owner
        self.model = model
        self.base = "/v1"
        self.default_format = default_format
        self.refuses = frozenset(refuses)
        self.most_n = most_n
        self.errors = errors
        self.key = ""
        self.sizes: frozenset[str] | None = None
        self.longest_prompt: int | None = None

    def is_allowed(self, headers: Mapping[str, str]) -> bool:
        """Return whether the call has the key."""
        return not self.key or headers.get("authorization") == f"Bearer {self.key}"

    def read(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Return the fields of a JSON or a multipart body; files are bytes."""
        kind = headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return super().read(headers, body)
        boundary = kind.partition("boundary=")[2].strip('"').encode()
        fields: dict[str, Any] = {}
        for part in body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            named = re.search(rb'[; ]name="([^"]+)"', head)
            if named is None:
                raise ValueError("a part without a name")
            value = content.removesuffix(b"\r\n")
            fields[named[1].decode()] = value if b'filename="' in head else value.decode()
        return fields

    def draws(self, method: str, path: str, fields: dict[str, Any]) -> bool:
        """Return whether this call asks for a picture that can be drawn."""
        calls = (f"{self.base}/images/generations", f"{self.base}/images/edits")
        return method == "POST" and path in calls and not self._wrong_field(path, fields)

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call."""
        if self.down:
            return self._error(503, "down", None)
        if (method, path) == ("GET", f"{self.base}/models"):
            return 200, self._models()
        if method == "GET" and (found := re.fullmatch(r"/pictures/([0-9]+)-([0-9]+)-([0-9]+)\.png", path)):
            self.counts["downloads"] += 1
            return 200, _picture(*map(int, found.groups()))
        if method != "POST" or path not in (f"{self.base}/images/generations", f"{self.base}/images/edits"):
            return self._error(404, "not found", None)
        if wrong := self._wrong_field(path, fields):
            self.counts["refused"] += 1
            return self._error(400, f"Wrong or unknown parameter: '{wrong}'.", wrong)
        self.counts["generated"] += 1
        return 200, self._pictures(fields)

    def _models(self) -> dict[str, Any]:
        self.counts["models"] += 1
        owner = {} if self.owner is None else {"owned_by": self.owner, "created": 0}
        return {"object": "list", "data": [{"id": self.model, "object": "model"} | owner]}

    def _wrong_field(self, path: str, fields: dict[str, Any]) -> str | None:
        """Return the name of the first parameter that is missing, wrong or refused, or None."""
        if refused := sorted(fields.keys() & self.refuses):
            return refused[0]
        prompt, size = str(fields.get("prompt", "")), str(fields.get("size", ""))
        if not prompt or len(prompt) > (self.longest_prompt or len(prompt)):
            return "prompt"
        if not _SIZE.fullmatch(size) or any(int(side) % 8 for side in size.split("x")):
            return "size"
        if self.sizes is not None and size not in self.sizes:
            return "size"
        if not str(fields.get("n", "1")).isdigit():
            return "n"
        if path.endswith("/edits") and not isinstance(fields.get("image", fields.get("image[]")), bytes):
            return "image"
        return None

    def _pictures(self, fields: dict[str, Any]) -> dict[str, Any]:
        width, height = map(int, fields["size"].split("x"))
        seed = self.settings(fields).get("seed", 0)
        items = [
            self._item(fields, width, height, int(seed) + index)
            for index in range(min(self.most_n, int(fields.get("n", 1))))
        ]
        return {"created": 0, "data": items, "size": fields["size"]}

    def _item(self, fields: dict[str, Any], width: int, height: int, seed: int) -> dict[str, Any]:
        if fields.get("response_format", self.default_format) == "url":
            return {"url": f"{self.url}/pictures/{width}-{height}-{seed}.png"}
        return {"b64_json": base64.b64encode(_picture(width, height, seed)).decode(), "revised_prompt": None}

    def settings(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the settings that a request has, by their names in Easel, wherever this server reads them."""
        found = dict(fields)
        if tag := _TAG.search(str(fields.get("prompt", ""))):
            extra = json.loads(tag[1])
            sampling = extra.get("sample_params", {})
            found |= extra | {
                "num_inference_steps": sampling.get("sample_steps"),
                "guidance_scale": sampling.get("guidance", {}).get("txt_cfg"),
            }
        found |= json.loads(fields.get("kwargs", "{}"))
        names = {"rng_seed": "seed", "step": "steps", "num_inference_steps": "steps", "guidance_scale": "scale"}
        wanted = ("seed", "steps", "scale", "negative_prompt", "strength")
        return {to: value for name, value in found.items() if (to := names.get(name, name)) in wanted}

    def _error(self, status: int, message: str, field: str | None) -> tuple[int, Any]:
        forms: dict[str, Any] = {
            "error": {"error": {"message": message, "type": "invalid_request_error", "param": field, "code": None}},
            "text": {"error": message},
            "detail": {"detail": [{"loc": ["body", field], "msg": message, "type": "value_error"}]},
            "problem": {"type": "about:blank", "title": "Bad Request", "status": status, "detail": message},
            "plain": message.encode(),
        }
        return status, forms[self.errors]


@lru_cache(maxsize=64)
def _picture(width: int, height: int, seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour(seed)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
