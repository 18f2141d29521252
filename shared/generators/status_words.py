"""The words of img_generator's statuses, in every spelling that has one meaning."""

import re
from dataclasses import replace
from typing import Any

from shared.generators.answers import member, read_picture, unwrapped, wrong_form
from shared.generators.base import GeneratorBroken, Phase, Progress
from shared.generators.strict_json import read_json, read_text

# Statuses after `_plain_words`: one line in lower case, `-` and `_` as spaces.
_POSITION = re.compile(r"queue position ?[:=]? ?#?([0-9]{1,9})(?:\.0{1,9})?(?: ?(?:/|of) ?[0-9]{1,9})?")
_PERCENT = re.compile(r"(?:processing ?[:=]? ?(?=[0-9(]))?(\()?([0-9]{1,3}(?:[.,][0-9]{1,9})?) ?%(?(1)\))")
_UNITLESS = re.compile(r"processing ?[:=]? ?([0-9]{1,3}(?:[.,][0-9]{1,9})?)")
_NUMBER = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,9})?) ?%?")
_INVISIBLE = re.compile("[\0\u200b\u2060\ufeff]")


def read_status(body: bytes) -> Progress:
    """Parse a status: plain text, a JSON string, or an object with it as `status` and perhaps `progress` and `preview`.

    Raises:
        GeneratorBroken: It has no meaning in the protocol.
    """
    text = read_text(body).strip()
    percent: object = None
    preview: object = None
    if text[:1] in ('"', "{", "["):
        value = unwrapped(read_json(body), "status")
        if isinstance(value, dict):
            percent, preview = member(value, "progress"), member(value, "preview")
            value = _status_member(value)
        if not isinstance(value, str):
            raise wrong_form("generator_bad_shape", "The generator's status is not text.")
        text = value
    progress = _read_words(_plain_words(text))
    if progress.phase != Phase.PROCESSING:
        return progress
    fraction = _read_percent(percent) if progress.fraction is None else progress.fraction
    return replace(progress, fraction=fraction, preview=_read_preview(preview))


def _read_preview(value: object) -> bytes | None:
    """Return the bytes of a preview; None without a usable one, which is no reason to doubt the status."""
    if value is None:
        return None
    try:
        return read_picture(value)
    except GeneratorBroken:
        return None


def _status_member(value: dict[str, Any]) -> object:
    """Return the member `status`; with a number beside it, or as the name of the only member, as one text."""
    status, position = member(value, "status"), member(value, "position")
    if isinstance(status, str) and position is not None and _plain_words(status) == "queue position":
        return f"{status}: {position}"
    if status is not None or len(value) != 1:
        return status
    [(name, found)] = value.items()
    return f"{name}: {found}" if _plain_words(name) in ("queue position", "processing") else None


def _plain_words(text: str) -> str:
    """Return a status in lower case, with single spaces between its words, without quotes and a full stop."""
    text = _INVISIBLE.sub("", text).casefold().strip().strip("\"'`").rstrip(".!…;").removeprefix("status:")
    return " ".join(re.sub("_|-(?![0-9])", " ", text).replace(" :", ":").split())


def _read_words(text: str) -> Progress:
    """Parse the words of a status. Raises GeneratorBroken."""
    simple = {"processing": Phase.PROCESSING, "finished": Phase.FINISHED, "error": Phase.FAILED}
    if text in simple:
        return Progress(simple[text])
    if match := _POSITION.fullmatch(text):
        return Progress(Phase.QUEUED, position=int(match[1]))
    if text.startswith("queue position"):
        raise wrong_form("generator_bad_position", "The generator's queue position is not a number from 0.")
    if (match := _PERCENT.fullmatch(text)) and _decimal(match[2]) <= 100:
        return Progress(Phase.PROCESSING, fraction=_decimal(match[2]) / 100)
    if match := _UNITLESS.fullmatch(text):
        return Progress(Phase.PROCESSING, fraction=_read_percent(match[1]))
    if text.startswith("processing"):
        raise _bad_progress()
    if text.startswith("error:"):
        return Progress(Phase.FAILED)
    raise wrong_form("generator_bad_status", "The generator returned an unknown status.")


def _read_percent(value: object) -> float | None:
    """Return the fraction that a percentage means, with or without its sign; None without one.

    Without a sign, a number up to 1 could also be a fraction: that progress is not known.

    Raises:
        GeneratorBroken: It is not a number from 0 to 100.
    """
    if value is None or value == "":
        return None
    match = _NUMBER.fullmatch(str(value).strip()) if isinstance(value, int | float | str) else None
    if match is None or isinstance(value, bool) or _decimal(match[1]) > 100:
        raise _bad_progress()
    percent = _decimal(match[1])
    return percent / 100 if percent > 1 or match[0].endswith("%") or percent == 0 else None


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def _bad_progress() -> GeneratorBroken:
    return wrong_form("generator_bad_progress", "The generator's progress is not a number from 0 to 100.")
