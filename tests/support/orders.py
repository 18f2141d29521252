"""Requests for the tests of the generator clients."""

from dataclasses import replace
from typing import Any

from shared.generators.base import GenerationRequest

SMALL = GenerationRequest(
    prompt="a red boat on a lake",
    negative_prompt="",
    n=1,
    width=64,
    height=64,
    steps=2,
    scale=7.5,
    seed=7,
)


def order(**changes: Any) -> GenerationRequest:
    return replace(SMALL, **changes)
