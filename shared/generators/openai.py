"""The client of OpenAI's Images API, as many servers of diffusion models have it: `/images/generations` and `/edits`.

A call lasts as long as its pictures take, and hanging up cancels it. The API has no ids, so the client keeps nothing: a
request exists while a caller waits for its result. `GET /models` says which server it is (`openai_servers`), and so
which settings it follows; the option `follows` of an address says so for the others.

Servers differ in how they make several pictures of one seed. Where the seed is followed, each picture is one call with
its own seed; else one call makes them all, or as many as the server makes at once.
"""

import json
import time
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from urllib3.filepost import encode_multipart_formdata

from shared.generators.abilities import refuse_unsupported
from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import (
    REFUSALS,
    check_http,
    member,
    named_fields,
    picture_limit,
    read_picture,
    refusal,
    result_limit,
    wrong_form,
)
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorUnavailable,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.drawing import ONLY_ID, DrawingClient
from shared.generators.openai_servers import OTHER, Fields, Server, recognise
from shared.generators.picture_links import PictureLinks
from shared.generators.strict_json import read_json
from shared.generators.transport import Answer, BoundedHttp

CONNECT_TIMEOUT_S = 3.0
MODELS_TIMEOUT_S = 10.0
DRAW_TIMEOUT_S = 600.0
"""How long the pictures of one call may take together."""

MODELS_BYTES = 1024 * 1024
MODELS_KEPT_S = 600.0
"""How long a server is taken for what it said it is."""

_NOT_SENT = ("generator_busy", "generator_redirected", "generator_misconfigured")
_NO_LIST = "The server at this address has no list of models, as OpenAI's API has it."
_RULES = (b"content_policy_violation", b"moderation_blocked", b"content_filter")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a server said of itself: its kind, and the model to ask for, if that is certain."""

    server: Server
    model: str | None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that makes `count` pictures, the first ones of the request, and what goes with them, until `deadline`."""

    known: _Known
    request: GenerationRequest
    settings: Fields
    count: int
    stop: Stop
    room: Room
    deadline: float

    @property
    def source(self) -> bytes | None:
        """Return the start picture."""
        return next(iter(self.request.source_images), None)

    @property
    def left_s(self) -> float:
        """Return the seconds that are left, above 0 so that a call can be made and time out."""
        return max(0.001, self.deadline - time.monotonic())


class OpenAi(DrawingClient):
    """A server with OpenAI's Images API. Threads may share a client; each time-out covers a whole answer."""

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        models_timeout_s: float = MODELS_TIMEOUT_S,
        draw_timeout_s: float = DRAW_TIMEOUT_S,
    ) -> None:
        url = urlsplit(address.url)
        # As in the clients of OpenAI, a path of the address is all of the base URL; OpenVINO Model Server has /v3.
        base = address.url if url.path.strip("/") else url._replace(path="/v1").geturl()
        headers = {"Authorization": f"Bearer {address.key}"} if address.key else {}
        super().__init__(
            BoundedHttp(base, connect_timeout_s=connect_timeout_s, headers=headers, allowed=address.allowed)
        )
        self._links = PictureLinks(address, connect_timeout_s=connect_timeout_s, headers=headers)
        self._address = address
        self._models_timeout_s = models_timeout_s
        self._draw_timeout_s = draw_timeout_s
        self._known: _Known | None = None
        self._known_until = float("-inf")
        self._format: Fields = {"response_format": "b64_json"}
        self._at_once = True

    @property
    def capabilities(self) -> Capabilities:
        """Return what the server is and follows, as far as it said so."""
        return self._abilities(self._known or _Known(OTHER, None))

    def _abilities(self, known: _Known) -> Capabilities:
        chosen = self._address.follows
        named = ": ".join(filter(None, [known.server.name if known.server is not OTHER else "", known.model]))
        return Capabilities(
            engine=named[:100] or None,
            follows=known.server.follows if chosen is None else chosen,
            edits_follow=known.server.edits_follow if chosen is None else chosen,
        )

    def start(self, request: GenerationRequest) -> str:
        """Check that the API supports the request, and find out what the server follows. Nothing is drawn yet."""
        refuse_unsupported("openai", request, self._address.sizes)
        self._server(never_stop)
        return ONLY_ID

    def result(
        self,
        remote_id: str,  # noqa: ARG002
        request: GenerationRequest,
        stop: Stop = never_stop,
        room: Room = no_room,
    ) -> Result:
        """Have the first pictures drawn that one call makes, which may take ten minutes."""
        deadline = time.monotonic() + self._draw_timeout_s
        known = self._server(stop)
        settings = _settings(request, self._abilities(known).followed(request))
        images: list[bytes] | None = None
        while images is None:
            at_once = self._at_once and "seed" not in settings and len(request.source_images) < 2
            images = self._draw(_Call(known, request, settings, request.n if at_once else 1, stop, room, deadline))
        return Result(images=tuple(images))

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._links.close()

    def health(self) -> Capabilities:
        """Ask for the list of models, which every such server has.

        Anything else at this address is not taken for one.
        """
        self._known_until = float("-inf")  # after a failure the next request asks first, too
        self._remember(self._ask(never_stop))
        return self.capabilities

    def _server(self, stop: Stop) -> _Known:
        """Return what the server is, as it said in the last ten minutes."""
        if self._known is not None and time.monotonic() < self._known_until:
            return self._known
        try:
            return self._remember(self._ask(stop))
        except GeneratorUnavailable as error:
            # Only the question failed: the request itself was not sent.
            code = error.code if error.code in _NOT_SENT else "generator_unreachable"
            raise GeneratorUnavailable(code, error.message, retry_after_s=error.retry_after_s) from error

    def _remember(self, known: _Known) -> _Known:
        self._known, self._known_until = known, time.monotonic() + MODELS_KEPT_S
        return known

    def _ask(self, stop: Stop) -> _Known:
        """Ask what the server is. Raises GeneratorUnavailable, also for an answer of something else."""
        try:
            answer = self._http.send(
                "GET", "/models", None, timeout_s=self._models_timeout_s, limit_bytes=MODELS_BYTES, stop=stop
            )
            check_http(answer, about_id=False)
            value = read_json(answer.body)
        except GeneratorBroken as error:
            raise GeneratorUnavailable("generator_misconfigured", f"{_NO_LIST} {error.message}") from error
        listed = member(value, "data") if isinstance(value, dict) else None
        if not isinstance(listed, list):
            raise GeneratorUnavailable("generator_misconfigured", _NO_LIST)
        models = [model for model in listed if isinstance(model, dict)]
        ids = [name for model in models if isinstance(name := model.get("id"), str) and _is_line(name)]
        return _Known(recognise(models), self._address.option("model") or (ids[0] if len(ids) == 1 else None))

    def _draw(self, call: _Call) -> list[bytes] | None:
        """Return the pictures of a call; None where it has to be made again, since only its form was refused."""
        fields = self._fields(call)
        answer = self._send(call, fields)
        if answer.status in REFUSALS:
            named = named_fields(answer, fields)
            if "response_format" in named:
                self._format = {}  # newer models of OpenAI refuse it, and answer base64
            elif "n" in named and call.count > 1:
                self._at_once = False
            else:
                _refuse(answer, fields)
            return None
        if call.source is not None and answer.status in (404, 405, 501):
            message = f"The generator has no call for start pictures, or not this model (HTTP {answer.status})."
            raise GeneratorUnavailable("generator_misconfigured", message)
        check_http(answer, about_id=False)
        return self._read(answer, call)

    def _fields(self, call: _Call) -> Fields:
        request, known = call.request, call.known
        fields: Fields = {"prompt": request.prompt, "n": call.count, "size": f"{request.width}x{request.height}"}
        if known.model is not None:
            fields["model"] = known.model
        return known.server.add(fields | self._format, call.settings)

    def _send(self, call: _Call, fields: Fields) -> Answer:
        path, content_type = "/images/generations", "application/json"
        if call.source is None:
            body = json.dumps(fields, allow_nan=False).encode()
        else:
            # `image` without brackets: some servers know only that name.
            parts: dict[str, Any] = {name: str(value) for name, value in fields.items()}
            path = "/images/edits"
            body, content_type = encode_multipart_formdata(parts | {"image": ("image.png", call.source, "image/png")})
        return self._http.send(
            "POST",
            path,
            body,
            timeout_s=call.left_s,
            limit_bytes=result_limit(call.request),
            stop=call.stop,
            room=call.room,
            content_type=content_type,
        )

    def _read(self, answer: Answer, call: _Call) -> list[bytes]:
        """Return the pictures of an answer: at least one, and no more than were asked for. Raises GeneratorBroken."""
        value = read_json(answer.body)
        listed = member(value, "data") if isinstance(value, dict) else None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise wrong_form("generator_bad_shape", "The generator's result is not an object with a list of pictures.")
        if not 1 <= len(listed) <= call.count:
            message = f"The generator sent {len(listed)} pictures instead of {call.count}."
            raise wrong_form("generator_wrong_image_count", message)
        return [self._picture(item, call) for item in listed]

    def _picture(self, item: dict[str, Any], call: _Call) -> bytes:
        encoded, url = member(item, "b64_json"), member(item, "url")
        if encoded is None and isinstance(url, str) and not url.lstrip().casefold().startswith("data:"):
            size = picture_limit(call.request.width, call.request.height)
            return self._links.fetch(url.strip(), size, timeout_s=call.left_s, stop=call.stop)
        return read_picture(url if encoded is None else encoded)


def _settings(request: GenerationRequest, followed: frozenset[str]) -> Fields:
    """Return the settings that apply to the request and are followed."""
    values: Fields = {
        "seed": request.seed,
        "steps": request.steps,
        "scale": float(request.scale),
    }
    if request.negative_prompt:
        values["negative_prompt"] = request.negative_prompt
    if request.source_images:
        values["strength"] = float(request.strength)
    return {name: value for name, value in values.items() if name in followed}


def _refuse(answer: Answer, fields: Fields) -> NoReturn:
    if any(word in answer.body[:65536] for word in _RULES):
        raise GeneratorRefused("generator_refused", "The generator refused this request, because of its content rules.")
    raise refusal(answer, fields)


def _is_line(name: str) -> bool:
    """Return whether a name is one line of at most 200 characters."""
    return 0 < len(name) <= 200 and name.isprintable()
