"""Full garbage collections are postponed in proportion to what the last one took, and still happen."""

import gc
from collections.abc import Iterator

import pytest

from functions.http.full_collections import NEVER, SHARE, FullCollections


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def thresholds() -> Iterator[tuple[int, int, int]]:
    known = gc.get_threshold()
    yield known
    gc.set_threshold(*known)


def collect(collections: FullCollections, clock: Clock, generation: int, seconds: float = 0.0) -> None:
    collections.note("start", {"generation": generation})
    clock.now_s += seconds
    collections.note("stop", {"generation": generation})


def test_the_next_full_collection_waits_in_proportion_to_the_last(thresholds: tuple[int, int, int]) -> None:
    clock = Clock()
    collections = FullCollections(clock)
    collect(collections, clock, 2, seconds=0.25)
    assert gc.get_threshold() == (*thresholds[:2], NEVER)
    clock.now_s += SHARE * 0.25 - 1
    collect(collections, clock, 1)
    assert gc.get_threshold() == (*thresholds[:2], NEVER)
    clock.now_s += 2
    collect(collections, clock, 0)
    assert gc.get_threshold() == (*thresholds[:2], NEVER), "the youngest generation is too frequent to look"
    collect(collections, clock, 1)
    assert gc.get_threshold() == thresholds


def test_python_calls_it_and_forgets_it(thresholds: tuple[int, int, int]) -> None:
    collections = FullCollections()
    collections.begin()
    try:
        assert gc.get_freeze_count() > 0
        gc.collect()
        assert gc.get_threshold() == (*thresholds[:2], NEVER)
    finally:
        collections.end()
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0
