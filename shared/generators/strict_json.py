"""Strict JSON from an untrusted service, bounded in memory."""

import json
from typing import Any, NoReturn

from shared.generators.base import GeneratorBroken

MAX_VALUES = 100_000
"""Most lists, objects and members in an answer. Three bytes of `[],` take about twenty times as much memory."""


def read_text(body: bytes) -> str:
    """Decode the body as UTF-8, without a byte order mark.

    Raises:
        GeneratorBroken: It is not UTF-8.
    """
    try:
        return body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise GeneratorBroken("generator_bad_text", "The generator's answer is not UTF-8.", lasting=True) from None


def read_json(body: bytes) -> Any:  # noqa: ANN401 # its callers check what they use
    """Parse the body without NaN, endless depth and numbers of thousands of digits.

    Raises:
        GeneratorBroken: It is not strict JSON in UTF-8, or holds too many values.
    """
    text = read_text(body)
    if sum(text.count(mark) for mark in ",[{") > MAX_VALUES:
        raise _bad_json(text)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _bad_json(text) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bad_json(text: str) -> GeneratorBroken:
    # A page in HTML comes from a proxy in front of the generator, which is there for a while.
    lasting = not text.lstrip().startswith("<")
    return GeneratorBroken("generator_bad_json", "The generator's answer is not strict JSON.", lasting=lasting)
