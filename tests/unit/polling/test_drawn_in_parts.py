"""Pictures that a generator draws part by part: each is stored before the next one is drawn."""

import hashlib
import io
from dataclasses import replace
from typing import cast

import pytest
from PIL import Image

from shared.clients.storage import Storage
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorUnavailable,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.drawing import DrawingClient
from shared.generators.transport import BoundedHttp
from shared.jobs.reasons import WORKER_STOPPED
from shared.polling import steps
from shared.polling.memory import Memory
from shared.polling.outcomes import Decision, Retried, Succeeded, Waits
from shared.polling.steps import HEALTHY, Step
from tests.unit.polling.test_steps import SENT

PIXELS = 512 * 512
CLAIM = replace(SENT, settings=SENT.settings | {"n": 5})


class Painter(DrawingClient):
    """Draws `at_once` pictures in each call, and notes what is in memory and stored meanwhile."""

    capabilities = Capabilities(follows=frozenset({"seed"}))

    def __init__(self, memory: Memory, storage: "KeptObjects", at_once: int, fails_at: int | None = None) -> None:
        super().__init__(BoundedHttp("http://127.0.0.1:1", connect_timeout_s=1))
        self.memory, self.storage, self.at_once, self.fails_at = memory, storage, at_once, fails_at
        self.asked: list[tuple[int, int, int]] = []
        self.free: list[int] = []

    def start(self, request: GenerationRequest) -> str:
        raise AssertionError("it was sent already")

    def result(
        self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop, room: Room = no_room
    ) -> Result:
        self.asked.append((request.n, request.seed, len(self.storage.names)))
        self.free.append(self.memory._free)
        if len(self.asked) == self.fails_at:
            raise GeneratorUnavailable("generator_down", "It is down.")
        room()
        self.free.append(self.memory._free)
        file = io.BytesIO()
        Image.new("RGB", (512, 512)).save(file, "PNG")
        return Result(images=(file.getvalue(),) * min(self.at_once, request.n))

    def health(self) -> Capabilities:
        return self.capabilities


class KeptObjects:
    """A storage that keeps the names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, key: str, data: bytes, _content_type: str) -> str:
        self.names.append(key)
        return hashlib.md5(data, usedforsecurity=False).hexdigest()


def drawn(at_once: int, *, fails_at: int | None = None, stop: Stop = never_stop) -> tuple[Painter, Decision]:
    storage, memory = KeptObjects(), Memory(100 * PIXELS)
    painter = Painter(memory, storage, at_once, fails_at)
    step = Step(CLAIM, painter, "sdapi", cast(Storage, storage), memory=memory, stop=stop)
    decision = steps.fetch(step, draws=True)
    assert memory._free == 100 * PIXELS, "the room is given back"
    return painter, decision


@pytest.mark.parametrize(
    ("at_once", "asked"),
    [
        (1, [(5, 7, 0), (4, 8, 2), (3, 9, 4), (2, 10, 6), (1, 11, 8)]),
        (2, [(5, 7, 0), (3, 9, 4), (1, 11, 8)]),
        (5, [(5, 7, 0)]),
    ],
)
def test_each_part_is_stored_before_the_next_is_drawn(at_once: int, asked: list[tuple[int, int, int]]) -> None:
    painter, decision = drawn(at_once)
    assert painter.asked == asked
    assert isinstance(decision.outcome, Succeeded)
    assert [(image.index, image.seed) for image in decision.outcome.images] == [(k, 7 + k) for k in range(5)]
    assert [image.key for image in decision.outcome.images] == [f"{CLAIM.prefix}{k}.png" for k in range(5)]
    assert decision.health == HEALTHY


def test_nothing_is_in_memory_while_a_part_is_drawn() -> None:
    painter, _ = drawn(1)
    drawing, drawn_already = painter.free[::2], painter.free[1::2]
    assert set(drawing) == {100 * PIXELS}
    assert all(free < 100 * PIXELS for free in drawn_already)


def test_a_part_that_fails_costs_one_attempt() -> None:
    painter, decision = drawn(1, fails_at=3)
    assert isinstance(decision.outcome, Retried)
    assert decision.outcome.attempts == 0, "it is counted already"
    assert len(painter.asked) == 3


def test_a_stop_between_two_parts_begins_no_other() -> None:
    stops = iter((False, False, True))
    painter, decision = drawn(1, stop=lambda: next(stops))
    assert decision == Decision(Waits(WORKER_STOPPED, 0))
    assert len(painter.asked) == 2


def test_the_rest_of_a_request() -> None:
    sources = (b"a", b"b", b"c")
    whole = replace(REQUEST, n=5, seed=2**32 - 1, source_images=sources)
    rest = whole.rest(4)
    assert (rest.n, rest.seed, rest.source_images) == (1, 3, (b"b", b"c", b"a"))
    assert whole.rest(0) == whole
    examined = replace(whole, strength=-1.0)
    assert (examined.count, examined.rest(2).count, examined.rest(2).source_images) == (3, 1, (b"c",))


REQUEST = GenerationRequest(prompt="a lake", negative_prompt="", n=1, width=64, height=64, steps=2, scale=7.5, seed=1)
