"""The client of the web API of AUTOMATIC1111 (`/sdapi/v1/`), which Forge, SD.Next and KoboldCpp have too.

A call lasts as long as its picture takes, so a request exists while a caller waits for its result. Every picture is a
call, since only that means the same on all these servers: some ignore the size of a batch, and with start pictures the
others pair it with the batch differently.

Such a server draws on when its caller hangs up, and `interrupt` stops whatever it draws, for anybody. So it is sent
only while the server reports the task of this request as the current one, or where the address says that the server is
Easel's `alone`.
"""

import json
import secrets
from contextlib import suppress
from typing import Any

from shared.generators.abilities import assumed_follows, refuse_unsupported
from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import (
    REFUSALS,
    check_http,
    encoded,
    member,
    picture_limit,
    read_description,
    read_name,
    read_object,
    read_picture,
    read_whole,
    refusal,
    wrong_form,
)
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorUnavailable,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.drawing import DrawingClient
from shared.generators.strict_json import read_json
from shared.generators.transport import Answer, BoundedHttp

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 30.0
DRAW_TIMEOUT_S = 600.0
"""How long one picture may take, with the wait for those before it. A GPU needs seconds for it, a CPU minutes."""
INTERRUPT_TIMEOUT_S = 3.0
"""How long each of the two calls may take that end a task, because a worker that shuts down waits for them."""

SMALL_ANSWER_BYTES = 64 * 1024
OPTIONS_BYTES = 1024 * 1024
"""The list of all settings of a server with many extensions has some 100 KB."""

UPSCALER = "Lanczos"
"""The upscaler without an option in the address: one that needs no model, which AUTOMATIC1111 and Forge have."""

_GIVEN_UP = frozenset({"generator_stopped", "generator_timeout"})
"""Failures after which the server still draws, for nothing."""


class Sdapi(DrawingClient):
    """A server with the API of AUTOMATIC1111. Threads may share a client; each time-out covers a whole answer."""

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        draw_timeout_s: float = DRAW_TIMEOUT_S,
        interrupt_timeout_s: float = INTERRUPT_TIMEOUT_S,
    ) -> None:
        super().__init__(BoundedHttp(address.url, connect_timeout_s=connect_timeout_s, allowed=address.allowed))
        self._option = address.option
        self._answer_timeout_s = answer_timeout_s
        self._draw_timeout_s = draw_timeout_s
        self._interrupt_timeout_s = interrupt_timeout_s
        self._follows = assumed_follows(address)
        self._engine: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Return the model that the server last reported, and what it follows as far as its pictures show."""
        return Capabilities(engine=self._engine, follows=self._follows, edits_follow=self._follows)

    def start(self, request: GenerationRequest) -> str:
        """Check that the protocol supports the request, and name its task. Nothing is sent yet."""
        refuse_unsupported("sdapi", request)
        return f"easel-{secrets.token_hex(8)}"

    def result(
        self,
        remote_id: str,
        request: GenerationRequest,
        stop: Stop = never_stop,
        room: Room = no_room,
    ) -> Result:
        """Have the first picture drawn, described and scaled up as requested; the rest takes further calls."""
        info: dict[str, Any] = {}
        # A picture that is scaled up is read twice; there is room for the second one, which is the larger.
        is_scaled = request.upscale > 1
        if request.generates:
            picture, info = self._draw(remote_id, request, stop, no_room if is_scaled else room)
        else:
            picture = request.source_images[0]
        texts = (self._describe(picture, stop),) if request.describe else ()
        if is_scaled:
            picture = self._upscale(picture, request, stop, room)
        return Result(
            images=(picture,) if request.expected_images else (),
            descriptions=texts,
            engine=read_name(info.get("sd_model_name")),
            sampler=read_name(info.get("sampler_name")),
        )

    def cancel(self, remote_id: str) -> None:
        """Interrupt the task if the server draws it now. One that waits there cannot be taken back."""
        self._interrupt(remote_id, known_to_draw=False)

    def health(self) -> Capabilities:
        """Ask for the settings, which name the model. Whatever has none is not such a server."""
        answer = self._http.send(
            "GET", "/sdapi/v1/options", None, timeout_s=self._answer_timeout_s, limit_bytes=OPTIONS_BYTES
        )
        check_http(answer, about_id=False)
        with suppress(GeneratorBroken):
            value = read_json(answer.body)
            if isinstance(value, dict) and "sd_model_checkpoint" in value:
                self._engine = self._option("model") or read_name(value["sd_model_checkpoint"])
                return self.capabilities
        raise GeneratorUnavailable("generator_misconfigured", "The server at this address has no API of AUTOMATIC1111.")

    def _draw(self, remote_id: str, request: GenerationRequest, stop: Stop, room: Room) -> tuple[bytes, dict[str, Any]]:
        """Return one new picture, and what the server says of it."""
        fields = _fields(request) | self._chosen() | {"force_task_id": remote_id}
        path = "/sdapi/v1/img2img" if request.source_images else "/sdapi/v1/txt2img"
        try:
            answer = self._post(path, fields, picture_limit(request.width, request.height), stop, room)
        except GeneratorError as error:
            if error.code in _GIVEN_UP:
                self._interrupt(remote_id, known_to_draw=True)
            raise
        value = _read_answer(answer, fields)
        info = _read_info(member(value, "info"))
        if read_whole(info.get("seed")) not in (None, fields["seed"]):
            self._follows -= {"seed"}
        self._engine = read_name(info.get("sd_model_name")) or self._engine
        return read_picture(_only_picture(value, info)), info

    def _chosen(self) -> dict[str, Any]:
        """Return the fields for what the address chooses. The server's own model is back after each picture."""
        fields: dict[str, Any] = {}
        if sampler := self._option("sampler"):
            fields["sampler_name"] = sampler
        if scheduler := self._option("scheduler"):
            fields["scheduler"] = scheduler
        if model := self._option("model"):
            fields["override_settings"] = {"sd_model_checkpoint": model}
        return fields

    def _upscale(self, picture: bytes, request: GenerationRequest, stop: Stop, room: Room) -> bytes:
        fields = {
            "image": encoded(picture),
            "resize_mode": 0,
            "upscaling_resize": request.upscale,
            "upscaler_1": self._option("upscaler") or UPSCALER,
        }
        limit_bytes = picture_limit(*request.output_sizes[0])
        answer = self._post("/sdapi/v1/extra-single-image", fields, limit_bytes, stop, room)
        _check_offered(answer, "upscale")
        return read_picture(member(_read_answer(answer, fields), "image"))

    def _describe(self, picture: bytes, stop: Stop) -> str:
        fields = {"image": encoded(picture), "model": "clip"}
        answer = self._post("/sdapi/v1/interrogate", fields, SMALL_ANSWER_BYTES, stop)
        _check_offered(answer, "describe")
        return read_description(member(_read_answer(answer, fields), "caption"))

    def _interrupt(self, remote_id: str, *, known_to_draw: bool) -> None:
        """Stop what the server draws, if that is this task. Failures are ignored: the result is of no use anyway.

        known_to_draw: a call for it was running until now.
        """
        with suppress(GeneratorError):
            if self._is_current(remote_id) or (known_to_draw and self._option("alone")):
                self._quick("POST", "/sdapi/v1/interrupt", b"{}")

    def _is_current(self, remote_id: str) -> bool:
        answer = self._quick("GET", "/sdapi/v1/progress?skip_current_image=true", None)
        check_http(answer, about_id=False)
        value = read_json(answer.body)
        return isinstance(value, dict) and member(value, "current_task") == remote_id

    def _quick(self, method: str, path: str, body: bytes | None) -> Answer:
        return self._http.send(method, path, body, timeout_s=self._interrupt_timeout_s, limit_bytes=SMALL_ANSWER_BYTES)

    def _post(self, path: str, fields: dict[str, Any], limit_bytes: int, stop: Stop, room: Room = no_room) -> Answer:
        body = json.dumps(fields, allow_nan=False).encode()
        return self._http.send(
            "POST", path, body, timeout_s=self._draw_timeout_s, limit_bytes=limit_bytes, stop=stop, room=room
        )


def _fields(request: GenerationRequest) -> dict[str, Any]:
    """Return the fields for the first picture."""
    fields: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "steps": request.steps,
        "cfg_scale": request.scale,
        "width": request.width,
        "height": request.height,
        "batch_size": 1,
        "n_iter": 1,
    }
    if request.source_images:
        fields |= {"init_images": [encoded(request.source_images[0])], "denoising_strength": request.strength}
    return fields


def _check_offered(answer: Answer, setting: str) -> None:
    """Raise GeneratorRefused where the server, which makes pictures, lacks the call for this setting."""
    if answer.status in (404, 405, 501):
        raise GeneratorRefused(
            "generator_refused", f"This generator has no call for this setting, so it must be left out: {setting}."
        )


def _read_answer(answer: Answer, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises GeneratorError."""
    if answer.status in REFUSALS:
        raise refusal(answer, fields)
    if answer.status == 503 and b"busy" in answer.body[:1000].lower():  # KoboldCpp draws one picture and keeps no queue
        raise GeneratorUnavailable("generator_busy", "The generator draws another picture.")
    check_http(answer, about_id=False)
    return read_object(answer)


def _read_info(text: object) -> dict[str, Any]:
    """Return the facts about a picture, which come as JSON in a text; nothing if there are none."""
    with suppress(GeneratorBroken):
        value = read_json(text.encode(errors="replace")) if isinstance(text, str) else text
        if isinstance(value, dict):
            return value
    return {}


def _only_picture(value: dict[str, Any], info: dict[str, Any]) -> object:
    """Return the one picture. Extensions add more, such as masks; then `info` says where the first real one is.

    Raises:
        GeneratorBroken: There is none, as after somebody's interrupt, or it is not known which it is.
    """
    images = member(value, "images")
    if not isinstance(images, list):
        raise wrong_form("generator_bad_shape", "The generator's images are not a list.")
    if not images:
        raise GeneratorBroken("generator_wrong_image_count", "The generator sent no picture.")
    first = 0 if len(images) == 1 else read_whole(info.get("index_of_first_image"))
    if first is None or first >= len(images):
        raise wrong_form("generator_wrong_image_count", f"The generator sent {len(images)} pictures instead of 1.")
    return images[first]
