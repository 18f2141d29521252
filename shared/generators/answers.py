"""What all protocols parse alike: HTTP statuses, refusals, members, whole numbers, pictures, an answer's size limit.

Answers are read by their meaning: a spelling that the protocol does not promise is read where it can mean only one
thing. What has no meaning, or two, is an error. Sizes are limited before anything is decoded.
"""

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorUnavailable,
)
from shared.generators.strict_json import read_json
from shared.generators.transport import Answer

MAX_RESULT_BYTES = 512 * 1024 * 1024
RESULT_MARGIN_BYTES = 256 * 1024
MAX_DESCRIPTION_CHARACTERS = 10_000
MAX_ID_CHARACTERS = 128

_MAX_WHOLE_FLOAT = 2**53
"""Above it a float no longer says which whole number was meant."""

_DATA_URL = re.compile(r"(?:data:|image/)[^,]{0,200};base64,", re.IGNORECASE)
_BYTES_IN_PYTHON = re.compile(r"b'([^']*)'|b?\"([^\"]*)\"")
_URL_ALPHABET = str.maketrans("-_", "+/")
_WRAPPINGS = 3

REFUSALS = frozenset({400, 413, 414, 422})
"""The statuses with which a generator rejects the request itself."""


def check_http(answer: Answer, *, about_id: bool) -> None:
    """Raise the error for an HTTP status other than 200, 201 and 202."""
    status = answer.status
    if status in (200, 201, 202):
        if not answer.body:
            raise GeneratorBroken("generator_empty", "The generator's answer is empty.")
        return
    if about_id and status in (404, 410):
        raise ForgottenId()
    code, message = _unavailable(status)
    if code:
        raise GeneratorUnavailable(code, message, retry_after_s=answer.retry_after_s)
    raise GeneratorBroken("generator_bad_http", f"The generator's answer has an unexpected HTTP status ({status}).")


def _unavailable(status: int) -> tuple[str | None, str]:
    """Return the code and the message for a status that says that the generator cannot be used now."""
    if status == 429:
        return "generator_busy", "The generator accepts no more requests for now."
    if status == 408 or status >= 500:
        return "generator_down", f"The generator reported an internal error (HTTP {status})."
    if 300 <= status < 400:
        return "generator_redirected", f"The generator redirects to another address (HTTP {status})."
    if status in (401, 403, 404, 405):
        return "generator_misconfigured", f"The generator's address or password is wrong (HTTP {status})."
    return None, ""


def refusal(answer: Answer, fields: Mapping[str, Any]) -> GeneratorRefused:
    """Return the error for a refused request; the answer may repeat a prompt, so only parameter names are kept."""
    named = named_fields(answer, fields)
    reason = f" It names: {', '.join(named)}." if named else ""
    return GeneratorRefused("generator_refused", f"The generator refused this request (HTTP {answer.status}).{reason}")


def named_fields(answer: Answer, fields: Mapping[str, Any]) -> list[str]:
    """Return which of these fields an answer names: the one in `error.param`, or all that occur in its text."""
    with suppress(GeneratorBroken):
        value = read_json(answer.body)
        error = value.get("error") if isinstance(value, dict) else None
        param = error.get("param") if isinstance(error, dict) else None
        if isinstance(param, str) and param in fields:
            return [param]
    text = answer.body[:65536].decode("utf-8", errors="replace")
    words = re.findall(r"[\"']([a-z_]+)[\"']", text) + re.findall(r"\b[a-z_]{2,}\b", text)
    return [name for name in fields if name in words]


def result_limit(request: GenerationRequest) -> int:
    """Return the most bytes that a result may have: 4 bytes a pixel, as base64, and a margin for everything else."""
    pixels = sum(width * height for width, height in request.output_sizes)
    pixels += request.frames * request.output_width * request.output_height
    return _limit(pixels)


def picture_limit(width: int, height: int) -> int:
    """Return the most bytes that an answer with one picture of this size in pixels may have."""
    return _limit(width * height)


def _limit(pixels: int) -> int:
    return min(MAX_RESULT_BYTES, RESULT_MARGIN_BYTES + pixels * 4 * 4 // 3)


def wrong_form(code: str, message: str) -> GeneratorBroken:
    """Return the error for an answer whose form is wrong, and would be wrong again."""
    return GeneratorBroken(code, message, lasting=True)


def read_object(answer: Answer, wanted: str = "") -> dict[str, Any]:
    """Return the JSON object of a result; one that wraps the object with the member `wanted` is unwrapped.

    Raises:
        GeneratorBroken: It is no JSON object.
    """
    value = read_json(answer.body)
    if wanted:
        value = unwrapped(value, wanted)
    if not isinstance(value, dict):
        raise wrong_form("generator_bad_shape", "The generator's result is not a JSON object.")
    return value


def member(value: dict[str, Any], name: str) -> Any:  # noqa: ANN401 # its callers check what they use
    """Return a member of a JSON object, None without one. Its name may be in upper case where that is plain."""
    if name in value:
        return value[name]
    found = [key for key in value if key.strip().casefold() == name]
    return value[found[0]] if len(found) == 1 else None


def unwrapped(value: Any, *names: str) -> Any:  # noqa: ANN401 # its callers check what they use
    """Return an answer without what servers put around it: its JSON as a text in JSON, or an object's member `result`.

    An object that has one of the members `names` is the answer itself.

    Raises:
        GeneratorBroken: A text begins as JSON and is not.
    """
    for _ in range(_WRAPPINGS):
        if isinstance(value, str) and value.strip()[:1] in ('"', "{"):
            value = read_json(value.encode("utf-8", errors="surrogatepass"))
        elif isinstance(value, dict) and all(member(value, name) is None for name in names):
            inner = member(value, "result")
            if inner is None:
                break
            value = inner
        else:
            break
    return value


def read_whole(value: object) -> int | None:
    """Return the whole number from 0 that a JSON value means, such as `3` or `3.0`; None for any other value."""
    if isinstance(value, float) and value.is_integer() and value < _MAX_WHOLE_FLOAT:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def read_name(value: object) -> str | None:
    """Return a name if it is one line of at most 100 characters."""
    name = value.strip() if isinstance(value, str) else ""
    return name if 0 < len(name) <= 100 and name.isprintable() else None


def read_description(text: object) -> str:
    """Return the description of a picture.

    Raises:
        GeneratorBroken: It is not text, or too long.
    """
    # NUL and halves of surrogate pairs are valid JSON, but Postgres does not store them.
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION_CHARACTERS or re.search("[\0\ud800-\udfff]", text):
        raise wrong_form("generator_bad_description", "The generator sent a description that is no valid text.")
    return text


def encoded(picture: bytes) -> str:
    """Return a picture as base64."""
    return base64.b64encode(picture).decode()


def read_picture(text: object) -> bytes:
    """Return the bytes of a picture in base64: in either alphabet, with or without padding, line breaks and `data:`.

    Also as Python shows bytes, `b'...'`, and percent-encoded in a `data:` URL.

    Raises:
        GeneratorBroken: It is not base64.
    """
    if not isinstance(text, str):
        raise wrong_form("generator_bad_shape", "The generator sent a picture that is not text.")
    text = text.removeprefix("\ufeff").strip()
    if shown := _BYTES_IN_PYTHON.fullmatch(text):
        text = shown[1] or shown[2]
    if url := _DATA_URL.match(text):
        text = unquote(text[url.end() :])
    plain = "".join(text.split()).translate(_URL_ALPHABET).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        data = b""
    if not data:
        raise wrong_form("generator_bad_base64", "The generator sent a picture that is not base64.")
    return data


def read_id(value: object) -> str:
    """Return the id of a new request from `17`, `17.0`, `"17"`, `{"id": 17}` or any of them as `{"result": ...}`.

    Raises:
        GeneratorBroken: It is no usable id.
    """
    value = unwrapped(value, "id")
    if isinstance(value, dict):
        value = member(value, "id")
    number = read_whole(value)
    text = str(number) if number is not None else value.strip() if isinstance(value, str) else ""
    if 1 <= len(text) <= MAX_ID_CHARACTERS and text.isprintable():
        return text
    raise wrong_form("generator_bad_id", "The generator returned no usable id for the request.")


def wire_id(remote_id: str) -> int | str:
    """Return the id as the protocol sends it: a number if it is one."""
    if remote_id.isascii() and remote_id.isdigit() and (remote_id == "0" or remote_id[0] != "0"):
        return int(remote_id)
    return remote_id
