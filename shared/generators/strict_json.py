"""Strict JSON from an untrusted service, bounded in memory."""

import json
from typing import Any, NoReturn

from shared.generators.base import GeneratorBroken

MAX_VALUES = 100_000
"""Most lists, objects and members in an answer. Three bytes of `[],` take about twenty times as much memory."""


def read_text(body: bytes) -> str:
    """Decode the body as UTF-8.

    Raises:
        GeneratorBroken: It is not UTF-8.
    """
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise GeneratorBroken("generator_bad_text", "The generator's answer is not UTF-8.") from None


def read_json(body: bytes) -> Any:  # noqa: ANN401 # its callers check what they use
    """Parse the body without NaN, endless depth and numbers of thousands of digits.

    Raises:
        GeneratorBroken: It is not strict JSON in UTF-8, or holds too many values.
    """
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
