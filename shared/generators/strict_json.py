"""JSON from a service that is not trusted: strict, and bounded in what it can grow into."""

import json
from typing import Any, NoReturn

from shared.generators.base import GeneratorBroken

MAX_VALUES = 100_000
"""Most lists, objects and members in an answer. Three bytes of `[],` grow into some twenty times as much memory."""


def read_text(body: bytes) -> str:
    """The body as UTF-8, or GeneratorBroken."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise GeneratorBroken("generator_bad_text", "The generator's answer is not UTF-8.") from None


def read_json(body: bytes) -> Any:
    """The body as strict JSON, or GeneratorBroken. NaN, endless depth and numbers of thousands of digits are none."""
    text = read_text(body)
    if sum(text.count(mark) for mark in ",[{") > MAX_VALUES:
        raise _bad_json()
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _bad_json() from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bad_json() -> GeneratorBroken:
    return GeneratorBroken("generator_bad_json", "The generator's answer is not strict JSON.")
