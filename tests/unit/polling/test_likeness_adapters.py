"""Adapters on their way to a generator."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from shared.generators.training import AdaptersMissing
from shared.polling import likenesses
from shared.polling.claims import ClaimedLikeness
from tests.unit.polling.test_steps import CLAIM

HERE, AWAY = "a" * 64, "b" * 64


class Forgetful:
    """A generator that lacks an adapter so many times that it is asked for a picture."""

    def __init__(self, times: int) -> None:
        self.times, self.trainer = times, self
        self.received: list[tuple[str, bytes]] = []

    def start(self, request: object) -> str:
        self.times -= 1
        if self.times >= 0:
            raise AdaptersMissing([AWAY])
        return "7"

    def send_adapter(self, sha256: str, data: bytes) -> None:
        self.received.append((sha256, data))


def step(generator: Forgetful) -> Any:
    named = (ClaimedLikeness(1, HERE, "here", 1.0, None), ClaimedLikeness(2, AWAY, "away", 1.0, None))
    return SimpleNamespace(
        generator=generator,
        claim=replace(CLAIM, likenesses=named),
        memory=SimpleNamespace(room=lambda _size: nullcontext()),
        storage=SimpleNamespace(get=lambda key, _most: key.encode()),
        max_adapter_bytes=100,
    )


def test_only_a_missing_adapter_is_sent() -> None:
    generator = Forgetful(1)
    assert likenesses.start(step(generator), None) == "7"  # type: ignore[arg-type] # the request is only handed on
    assert generator.received == [(AWAY, b"away")]


def test_a_generator_that_forgets_at_once_is_broken() -> None:
    generator = Forgetful(2)
    with pytest.raises(AdaptersMissing) as caught:
        likenesses.start(step(generator), None)  # type: ignore[arg-type] # the request is only handed on
    assert (caught.value.code, len(generator.received)) == ("generator_lacks_adapters", 1)
