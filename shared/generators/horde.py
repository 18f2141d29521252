"""The client of the AI Horde and of hordes of one's own: `/api/v2/generate/async`, `check` and `status`.

A horde hands requests to workers of many people. Its answers hold pictures as base64, or name them by links to an
object store. Its errors have `rc`, the name of the error, which is used here; their text is not, because it may repeat
a prompt.
"""

import json
import logging
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from shared.generators.abilities import HORDE_STEP_PX, refuse_unsupported
from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import (
    REFUSALS,
    check_http,
    encoded,
    member,
    picture_limit,
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
    Phase,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.cutting import cut
from shared.generators.picture_links import PictureLinks
from shared.generators.strict_json import read_json
from shared.generators.transport import Answer, BoundedHttp

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 30.0
RESULT_TIMEOUT_S = 60.0
SMALL_ANSWER_BYTES = 64 * 1024

ANONYMOUS = "0000000000"
"""The key of everybody who has none; its requests come last."""

CLIENT_AGENT = "easel:1:unknown"
"""Name, version and contact, as the horde asks of its clients."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_RC = re.compile(r"[A-Za-z]{1,60}")
_ASKED_KUDOS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) kudos", re.IGNORECASE)

_log = logging.getLogger(__name__)


class Horde:
    """The AI Horde, or a horde of one's own. Threads may share a client; each time-out covers a whole answer."""

    synchronous = False
    waits = False

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        result_timeout_s: float = RESULT_TIMEOUT_S,
    ) -> None:
        headers = {"apikey": address.key or ANONYMOUS, "Client-Agent": CLIENT_AGENT}
        self._http = BoundedHttp(
            address.url, connect_timeout_s=connect_timeout_s, headers=headers, allowed=address.allowed
        )
        # Anybody may fetch a picture of a horde, so its link gets no key.
        self._links = PictureLinks(address, connect_timeout_s=connect_timeout_s)
        self._address = address
        self._answer_timeout_s = answer_timeout_s
        self._result_timeout_s = result_timeout_s
        follows = address.follows or frozenset()
        self.capabilities = Capabilities(follows=follows, edits_follow=follows)

    def start(self, request: GenerationRequest) -> str:
        """Send the request; return the horde's id for it."""
        refuse_unsupported("horde", request)
        fields = _fields(request, self._address)
        answer = self._small("POST", "/api/v2/generate/async", fields)
        _check_accepted(answer, fields)
        value = read_object(answer)
        remote_id = member(value, "id")
        if not isinstance(remote_id, str) or not _ID.fullmatch(remote_id):
            raise wrong_form("generator_bad_id", "The horde returned no usable id for the request.")
        _log.info("the horde %s asks for %s kudos", self._address.name, _number(member(value, "kudos")))
        return remote_id

    def status(
        self,
        remote_id: str,
        *,
        wait_s: float = 0,  # noqa: ARG002
        stop: Stop = never_stop,
        preview: bool = False,  # noqa: ARG002
    ) -> Progress:
        """Ask how far the request is; one that no worker can make is taken back. Raises ForgottenId once it expired."""
        answer = self._small("GET", f"/api/v2/generate/check/{_part(remote_id)}", stop=stop)
        check_http(answer, about_id=True)
        progress = _read_progress(read_object(answer))
        if progress is None:
            self.cancel(remote_id)
            raise _impossible()
        return progress

    def result(
        self,
        remote_id: str,
        request: GenerationRequest,
        stop: Stop = never_stop,
        room: Room = no_room,
    ) -> Result:
        """Fetch the pictures, from the horde or from its object store."""
        width, height = (side * max(1, request.upscale) for side in _padded(request))
        answer = self._http.send(
            "GET",
            f"/api/v2/generate/status/{_part(remote_id)}",
            None,
            timeout_s=self._result_timeout_s,
            limit_bytes=request.n * picture_limit(width, height),
            stop=stop,
            room=room,
        )
        check_http(answer, about_id=True)
        generations = _read_generations(read_object(answer), request)
        images = []
        for generation in generations:
            picture = member(generation, "img")
            if isinstance(picture, str) and picture.startswith(("https:", "http:")):
                limit_bytes = picture_limit(width, height)
                data = self._links.fetch(picture, limit_bytes, timeout_s=self._result_timeout_s, stop=stop)
            else:
                data = read_picture(picture)
            images.append(_cropped(data, (width, height), (request.output_width, request.output_height)))
        models = sorted({name for generation in generations if (name := read_name(member(generation, "model")))})
        return Result(images=tuple(images), engine=read_name(", ".join(models)))

    def cancel(self, remote_id: str) -> None:
        """Take the request back. A failure changes nothing for the caller and is ignored."""
        with suppress(GeneratorError):
            self._small("DELETE", f"/api/v2/generate/status/{_part(remote_id)}")

    def health(self) -> Capabilities:
        """Ask whether the horde works and, where the address has a key, what is left on its account."""
        answer = self._small("GET", "/api/v2/status/heartbeat")
        check_http(answer, about_id=False)
        with suppress(GeneratorBroken):
            read_object(answer)
            return self._account() if self._address.key else Capabilities()
        raise GeneratorUnavailable("generator_misconfigured", "The server at this address is not a horde.")

    def _account(self) -> Capabilities:
        answer = self._small("GET", "/api/v2/find_user")
        if answer.status == 404:
            raise GeneratorUnavailable("generator_misconfigured", "The horde knows no account with this key.")
        check_http(answer, about_id=False)
        return Capabilities(engine=f"{_number(member(read_object(answer), 'kudos'))} kudos left")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._links.close()

    def _small(
        self, method: str, path: str, fields: dict[str, Any] | None = None, *, stop: Stop = never_stop
    ) -> Answer:
        body = None if fields is None else json.dumps(fields, allow_nan=False).encode()
        return self._http.send(
            method, path, body, timeout_s=self._answer_timeout_s, limit_bytes=SMALL_ANSWER_BYTES, stop=stop
        )


def _fields(request: GenerationRequest, address: GeneratorAddress) -> dict[str, Any]:
    width, height = _padded(request)
    params: dict[str, Any] = {
        "width": width,
        "height": height,
        "n": request.n,
        "steps": request.steps,
        "cfg_scale": request.scale,
        "seed": str(request.seed),
    }
    if sampler := address.option("sampler"):
        params["sampler_name"] = sampler
    if request.n > 1:
        params["seed_variation"] = 1
    if request.upscale > 1:
        params["post_processing"] = [f"RealESRGAN_x{request.upscale}plus"]
    model = address.option("model")
    is_open = address.option("nsfw") == "1"
    fields: dict[str, Any] = {
        "prompt": _joined(request.prompt, request.negative_prompt),
        "params": params,
        "models": [model] if model else [],
        "nsfw": is_open,
        "censor_nsfw": not is_open,
        "r2": True,
        "shared": False,
    }
    if request.source_images:
        params["denoising_strength"] = max(0.01, request.strength)
        fields |= {"source_image": encoded(request.source_images[0]), "source_processing": "img2img"}
    return fields


def _joined(prompt: str, negative_prompt: str) -> str:
    """Return both prompts in one text. The users' own words must not hold what parts them."""
    wanted, unwanted = (re.sub("#{3,}", "##", text) for text in (prompt, negative_prompt))
    return f"{wanted} ### {unwanted}" if unwanted else wanted


def _padded(request: GenerationRequest) -> tuple[int, int]:
    """Return the width and height in pixels to ask for, since a horde makes only multiples of 64."""
    width, height = (-(-side // HORDE_STEP_PX) * HORDE_STEP_PX for side in (request.width, request.height))
    return width, height


def _cropped(data: bytes, made: tuple[int, int], wanted: tuple[int, int]) -> bytes:
    """Return the middle of a picture as PNG; the picture itself where nothing is to be cut off."""
    if made == wanted:
        return data
    corner = ((made[0] - wanted[0]) // 2, (made[1] - wanted[1]) // 2)
    return cut(data, made, [corner], wanted)[0]


def _part(remote_id: str) -> str:
    """Return an id as a part of a path."""
    return quote(remote_id, safe="")


def _number(value: object) -> str:
    """Return a number of kudos as text."""
    return f"{value:.0f}" if isinstance(value, int | float) and not isinstance(value, bool) else "an unknown number of"


def _check_accepted(answer: Answer, fields: dict[str, Any]) -> None:
    """Raise the error for a request that the horde did not take, by the name of its error."""
    if answer.status in (200, 201, 202):
        return check_http(answer, about_id=False)
    code, asked = _read_refusal(answer)
    named = f" ({code})" if code else ""
    if "kudos" in code.lower():
        price = f"{asked} kudos" if asked else "kudos"
        raise GeneratorRefused(
            "generator_no_kudos",
            f"The horde asks for {price} in advance, which its account does not have{named}. A smaller picture or fewer"
            " steps cost less.",
        )
    if code == "NoValidWorkers":
        raise _impossible()
    if code == "MaintenanceMode":
        raise GeneratorUnavailable("generator_busy", "The horde is closed for maintenance.", retry_after_s=60)
    if answer.status in (401, 403):
        raise GeneratorUnavailable("generator_misconfigured", f"The horde denies access to this account{named}.")
    if answer.status in REFUSALS:
        if code:
            raise GeneratorRefused("generator_refused", f"The horde refused this request{named}.")
        raise refusal(answer, fields | fields["params"])
    return check_http(answer, about_id=False)


def _read_refusal(answer: Answer) -> tuple[str, str]:
    """Return the name of an error and the kudos that it asks for, each empty where there is none."""
    with suppress(GeneratorBroken):
        value = read_json(answer.body)
        if isinstance(value, dict):
            code, text = member(value, "rc"), member(value, "message")
            asked = _ASKED_KUDOS.search(text) if isinstance(text, str) else None
            return code if isinstance(code, str) and _RC.fullmatch(code) else "", asked[1] if asked else ""
    return "", ""


def _impossible() -> GeneratorBroken:
    message = (
        "No worker of this horde can make such a picture now. Its size, its model or its settings may be too much."
    )
    return GeneratorBroken("generator_impossible", message)


def _read_progress(value: dict[str, Any]) -> Progress | None:
    """Return how far a request is, None if no worker can make it. A faulted one counts as done, too.

    Raises:
        GeneratorBroken: It is not what a horde promises.
    """
    done, faulted, possible = (
        _flag(value, name, default) for name, default in (("done", None), ("faulted", False), ("is_possible", True))
    )
    counts = [read_whole(member(value, name)) for name in ("finished", "processing", "waiting")]
    if None in counts:
        raise wrong_form("generator_bad_status", "The horde's counts of pictures are not whole numbers.")
    finished, processing, waiting = (count or 0 for count in counts)
    if faulted:
        return Progress(Phase.FAILED)
    if done:
        return Progress(Phase.FINISHED)
    if finished or processing:
        total = finished + processing + waiting
        return Progress(Phase.PROCESSING, fraction=finished / total if finished else None)
    if not possible:
        return None
    position = read_whole(member(value, "queue_position"))
    if position is None:
        raise wrong_form("generator_bad_position", "The horde's queue position is not a number from 0.")
    return Progress(Phase.QUEUED, position=position)


def _flag(value: dict[str, Any], name: str, default: bool | None) -> bool:
    found = member(value, name)
    found = default if found is None else found
    if not isinstance(found, bool):
        raise wrong_form("generator_bad_status", f"The horde's answer has no usable {name}.")
    return found


def _read_generations(value: dict[str, Any], request: GenerationRequest) -> list[dict[str, Any]]:
    """Return what was made for each picture, in the order of the seeds where the horde names them.

    Raises:
        GeneratorBroken: It is not one object for each picture.
        GeneratorRefused: A worker withheld a picture.
    """
    found = member(value, "generations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise wrong_form("generator_bad_shape", "The horde's pictures are not a list of objects.")
    states = [member(one, "state") for one in found]
    if withheld := sum(
        state == "censored" or member(one, "censored") is True for one, state in zip(found, states, strict=True)
    ):
        raise GeneratorRefused(
            "generator_censored", f"The horde withheld {withheld} of the pictures: its filter takes them for unsafe."
        )
    made = [one for one, state in zip(found, states, strict=True) if state != "faulted"]
    if len(made) != request.n:
        message = f"The horde sent {len(made)} pictures instead of {request.n}."
        raise GeneratorBroken("generator_wrong_image_count", message, lasting=len(made) > request.n)
    order = {str((request.seed + index) % 2**32): index for index in range(request.n)}
    return sorted(made, key=lambda one: order.get(str(member(one, "seed")), request.n))
