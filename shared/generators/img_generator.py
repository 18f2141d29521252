"""The client of the img_generator protocol: initiate_processing, check_status, get_results, and its extensions.

It sends JSON, reads every answer that has one meaning, and gives every other one of the codes in `base`.
"""

import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import (
    REFUSALS,
    check_http,
    encoded,
    member,
    read_description,
    read_id,
    read_picture,
    refusal,
    result_limit,
    unwrapped,
    wire_id,
    wrong_form,
)
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorBroken,
    GeneratorError,
    GeneratorLoading,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.health_words import read_health
from shared.generators.status_words import read_status
from shared.generators.strict_json import read_json
from shared.generators.training import AdaptersMissing, ImgGeneratorTrainer, read_missing
from shared.generators.transport import Answer, BoundedHttp

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 30.0
RESULT_TIMEOUT_S = 60.0

SMALL_ANSWER_BYTES = 64 * 1024
PREVIEW_ANSWER_BYTES = 256 * 1024

MAX_WAIT_S = 20.0
"""The longest `wait_s` of the protocol."""

EXTENSIONS_KEPT_S = 60.0
FRESH_S = 5.0
"""How long the answer to a health call counts: for the extensions, and when a request is sent. A generator that was
restarted meanwhile may be loading its model."""


class ImgGenerator:
    """A generator with the img_generator protocol. Threads may share a client; each time-out covers a whole answer."""

    synchronous = False

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        result_timeout_s: float = RESULT_TIMEOUT_S,
    ) -> None:
        self._http = BoundedHttp(address.url, connect_timeout_s=connect_timeout_s, allowed=address.allowed)
        self._answer_timeout_s = answer_timeout_s
        self._result_timeout_s = result_timeout_s
        self._capabilities = Capabilities()
        self._asked_at = self._answered_at = float("-inf")
        self._not_waiting_until = float("-inf")
        self._asking = threading.Lock()
        self.trainer = ImgGeneratorTrainer(self._http, self._fresh_extensions)

    def start(self, request: GenerationRequest) -> str:
        """Send the request; return the generator's number for it as text.

        Raises:
            AdaptersMissing: The generator has not all of the request's adapters; nothing was begun.
        """
        asks = request.key or request.frames or request.adapters or request.scene
        extensions = self._fresh_extensions() if asks else frozenset[str]()
        if request.adapters and "adapters" not in extensions:
            raise GeneratorUnavailable("generator_misconfigured", "The generator takes no adapters any more.")
        if request.scene is not None and "scene" not in extensions:
            raise GeneratorRefused("generator_cannot", "This generator does not paint persons into places.")
        fields = _fields(request, extensions)
        answer = self._small("POST", "/initiate_processing", fields)
        if answer.status == 409 and (missing := read_missing(answer.body, request.adapters)):
            raise AdaptersMissing(missing)
        if answer.status in REFUSALS:
            raise refusal(answer, fields)
        check_http(answer, about_id=False)
        return read_id(read_json(answer.body))

    def _fresh_extensions(self) -> frozenset[str]:
        """Return the extensions, as of seconds ago.

        Raises:
            GeneratorUnavailable: They cannot be asked for.
            GeneratorLoading: The model is loading.
        """
        try:
            extensions = self._known_extensions(FRESH_S)
        except GeneratorUnavailable as error:
            # Only the question for extensions failed: the request itself was not sent.
            raise GeneratorUnavailable("generator_unreachable", error.message) from error
        if (loading_s := self._capabilities.loading_s) is not None:
            raise GeneratorLoading(loading_s)
        return extensions

    @property
    def waits(self) -> bool:
        """Return whether the generator listed the extension `wait` when it last answered; False after a failure."""
        return "wait" in self._capabilities.extensions and time.monotonic() >= self._not_waiting_until

    @property
    def capabilities(self) -> Capabilities:
        """Return what the generator last reported."""
        return self._capabilities

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        """Ask how far the request is. Raises ForgottenId when the generator does not know it."""
        fields: dict[str, Any] = {"id": wire_id(remote_id)}
        waited_s = min(wait_s, MAX_WAIT_S) if wait_s > 0 and self._can_wait(stop) else 0
        if waited_s:
            fields["wait_s"] = waited_s
        limit_bytes = SMALL_ANSWER_BYTES
        if preview and "preview" in self._capabilities.extensions:
            fields["preview"] = True
            limit_bytes = PREVIEW_ANSWER_BYTES
        answer = self._small("POST", "/check_status", fields, wait_s=waited_s, stop=stop, limit_bytes=limit_bytes)
        check_http(answer, about_id=True)
        return read_status(answer.body)

    def result(
        self,
        remote_id: str,
        request: GenerationRequest,
        stop: Stop = never_stop,
        room: Room = no_room,
    ) -> Result:
        """Fetch the pictures, descriptions and frames of a finished request, checked against what was asked for."""
        body = json.dumps({"id": wire_id(remote_id)}).encode()
        answer = self._http.send(
            "POST",
            "/get_results",
            body,
            timeout_s=self._result_timeout_s,
            limit_bytes=result_limit(request),
            stop=stop,
            room=room,
        )
        check_http(answer, about_id=True)
        return _read_result(read_json(answer.body), request)

    def cancel(self, remote_id: str) -> None:
        """Ask the generator to stop, if it offers that. A failure changes nothing for the caller and is ignored."""
        try:
            if "cancel" in self._known_extensions(EXTENSIONS_KEPT_S):
                self._small("POST", "/cancel", {"id": wire_id(remote_id)})
        except GeneratorError:
            return

    def health(self) -> Capabilities:
        """Ask what the generator offers: nothing if it does not have this call.

        One that had it until a minute ago is rather behind a proxy that does not find it now.
        """
        return self._health(never_stop)

    def _health(self, stop: Stop) -> Capabilities:
        answer = self._small("GET", "/health", None, stop=stop)
        capabilities = Capabilities()
        if answer.status not in (404, 405, 410, 501):
            with suppress(GeneratorBroken):
                check_http(answer, about_id=False)
                capabilities = read_health(answer.body)
                self._answered_at = time.monotonic()
        elif time.monotonic() < self._answered_at + EXTENSIONS_KEPT_S:
            raise GeneratorUnavailable("generator_down", "The generator's /health is gone.")
        self._remember(capabilities)
        return capabilities

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _known_extensions(self, kept_s: float) -> frozenset[str]:
        """Return the extensions as last reported, at most so many seconds ago."""
        if time.monotonic() >= self._asked_at + kept_s:
            self._ask(never_stop)
        return self._capabilities.extensions

    def _can_wait(self, stop: Stop) -> bool:
        """Return `waits`, after asking again if the last question was a minute ago.

        While one thread asks, the others use what is known. A failure of the question is no failure of the status call.

        Raises:
            GeneratorStopped: `stop` returned True.
        """
        if self._is_wait_unknown and self._asking.acquire(blocking=False):
            try:
                if self._is_wait_unknown:
                    self._ask(stop)
            except GeneratorStopped:
                raise
            except GeneratorError:
                self._not_waiting_until = time.monotonic() + EXTENSIONS_KEPT_S
            finally:
                self._asking.release()
        return self.waits

    def _ask(self, stop: Stop) -> None:
        """Ask for the health and keep the answer; not while a model loads, which is soon over."""
        loads = self._health(stop).loading_s is not None
        self._asked_at = float("-inf") if loads else time.monotonic()

    @property
    def _is_wait_unknown(self) -> bool:
        return time.monotonic() >= max(self._asked_at + EXTENSIONS_KEPT_S, self._not_waiting_until)

    def _remember(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._not_waiting_until = float("-inf")

    def _small(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None,
        *,
        wait_s: float = 0,
        stop: Stop = never_stop,
        limit_bytes: int = SMALL_ANSWER_BYTES,
    ) -> Answer:
        body = None if fields is None else json.dumps(fields, allow_nan=False).encode()
        timeout_s = self._answer_timeout_s + wait_s
        return self._http.send(method, path, body, timeout_s=timeout_s, limit_bytes=limit_bytes, stop=stop)


def _fields(request: GenerationRequest, extensions: frozenset[str]) -> dict[str, Any]:
    """Return the request's fields that apply. `ups` is always sent: left out, it means 4."""
    fields: dict[str, Any] = {"ups": request.upscale}
    if request.generates:
        fields |= {
            "prompt": request.prompt,
            "n": request.n,
            "width": request.width,
            "height": request.height,
            "steps": request.steps,
            "scale": request.scale,
            "seed": request.seed,
        }
        if request.negative_prompt:
            fields["neg_prompt"] = request.negative_prompt
    if request.source_images:
        fields["imgs"] = [encoded(source) for source in request.source_images]
        fields["strength"] = request.strength
    if request.describe:
        fields |= _description_fields(request)
    if request.cpu:
        fields["cpu"] = True
    if request.key and "key" in extensions:
        fields["key"] = request.key
    if request.frames > 0 and "frames" in extensions:
        fields["frames"] = request.frames
    if request.adapters:
        fields["adapters"] = [adapter._asdict() for adapter in request.adapters]
    if request.scene is not None:
        fields |= {name: encoded(picture) for name, picture in asdict(request.scene).items()}
    return fields


def _description_fields(request: GenerationRequest) -> dict[str, Any]:
    wanted = {
        "blip_max_len": request.blip_max_len,
        "clip_max_len": request.clip_max_len,
        "skip_clip": request.skip_clip or None,
        "skip_list": list(request.skip_list) or None,
    }
    return {"desc": True} | {name: value for name, value in wanted.items() if value is not None}


def _read_result(value: object, request: GenerationRequest) -> Result:
    """Read the result of a request, an object that may be the member `result` of another. Raises GeneratorBroken."""
    value = unwrapped(value, "imgs")
    if not isinstance(value, dict):
        raise wrong_form("generator_bad_shape", "The generator's result is not a JSON object.")
    images = _list(value, "imgs", request.expected_images)
    if len(images) != request.expected_images:
        raise wrong_form(
            "generator_wrong_image_count",
            f"The generator sent {len(images)} pictures instead of {request.expected_images}.",
        )
    frames = _list(value, "frames", 0) if request.frames > 0 else []
    if len(frames) > request.frames:
        raise wrong_form("generator_too_many_frames", "The generator sent more frames than asked for.")
    return Result(
        images=tuple(read_picture(image) for image in images),
        descriptions=_descriptions(value, request),
        frames=tuple(read_picture(frame) for frame in frames),
    )


def _list(value: dict[str, Any], name: str, expected: int) -> list[Any]:
    """Return a list of the result: also a text where one item is expected, or null where none is needed."""
    found = member(value, name)
    if found is None and (name not in value or not expected):
        return []
    if isinstance(found, str) and expected == 1:
        return [found]
    if not isinstance(found, list):
        raise wrong_form("generator_bad_shape", f"The generator's {name} is not a list.")
    return found


def _descriptions(value: dict[str, Any], request: GenerationRequest) -> tuple[str, ...]:
    """Return the descriptions, if they were asked for. Raises GeneratorBroken."""
    if not request.describe:
        return ()
    texts = _list(value, "descs", request.expected_descriptions)
    if len(texts) != request.expected_descriptions:
        raise wrong_form(
            "generator_wrong_text_count",
            f"The generator sent {len(texts)} descriptions instead of {request.expected_descriptions}.",
        )
    return tuple(read_description(text) for text in texts)
