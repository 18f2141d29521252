"""Reads are gathered: one for all that ask meanwhile, each caller gets its own value, and none an older one."""

import asyncio
from collections.abc import Collection

import pytest

from functions.http import gathered
from functions.http.gathered import Gathered
from shared.core.errors import Unavailable


class Reads:
    """Counts its reads, and answers with the number of the read that made it."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []

    def read(self, keys: Collection[str]) -> dict[str, int]:
        self.made.append(list(keys))
        if "gone" in keys:
            raise Unavailable("The database cannot be reached.")
        return {key: len(self.made) for key in keys if key != "missing"}


def no_pause() -> float:
    return 0.0


def test_requests_at_once_are_one_read() -> None:
    reads = Reads()

    async def ask() -> list[int | None]:
        both = Gathered(reads.read, no_pause)
        return await asyncio.gather(*map(both.get, ["a", "b", "a", "missing"]))

    assert asyncio.run(ask()) == [1, 1, 1, None]
    assert reads.made == [["a", "b", "missing"]]


def test_what_is_asked_while_a_read_is_made_is_read_after_it() -> None:
    reads = Reads()

    async def ask() -> list[int | None]:
        shared: Gathered[str, int] = Gathered(reads.read, no_pause)
        first = asyncio.create_task(shared.get("a"))
        while not reads.made:
            await asyncio.sleep(0)
        return [await first, *await asyncio.gather(shared.get("a"), shared.get("b"))]

    assert asyncio.run(ask()) == [1, 2, 2]


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads()
    monkeypatch.setattr(gathered, "MOST_AT_ONCE", 2)

    async def ask() -> list[int | None]:
        shared: Gathered[str, int] = Gathered(reads.read, no_pause)
        return await asyncio.gather(*map(shared.get, "abcde"))

    assert asyncio.run(ask()) == [1, 1, 2, 2, 3]


def test_others_come_between_the_answers_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, answered = Reads(), []
    monkeypatch.setattr(gathered, "ANSWERED_AT_ONCE", 2)

    async def ask() -> None:
        shared: Gathered[str, int] = Gathered(reads.read, no_pause)

        async def get(key: str) -> None:
            await shared.get(key)
            answered.append(key)

        async def other() -> None:
            while not answered:
                await asyncio.sleep(0)
            answered.append("another request")

        await asyncio.gather(other(), *map(get, "abcdef"))

    asyncio.run(ask())
    assert reads.made == [list("abcdef")]
    assert answered.index("another request") < len(answered) - 1


def test_an_error_reaches_all_of_a_batch_and_the_next_read_is_made() -> None:
    reads = Reads()

    async def ask() -> int | None:
        shared: Gathered[str, int] = Gathered(reads.read, no_pause)
        failed = await asyncio.gather(shared.get("a"), shared.get("gone"), return_exceptions=True)
        assert [type(error) for error in failed] == [Unavailable, Unavailable]
        return await shared.get("a")

    assert asyncio.run(ask()) == 2


def test_a_caller_that_leaves_takes_the_answer_from_nobody() -> None:
    reads = Reads()

    async def ask() -> int | None:
        shared: Gathered[str, int] = Gathered(reads.read, no_pause)
        leaves, stays = (asyncio.create_task(shared.get("a")) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        return await stays

    assert asyncio.run(ask()) == 1


def test_each_event_loop_reads_for_itself() -> None:
    """As in Lambda, where each event may have a loop of its own."""
    reads = Reads()
    shared: Gathered[str, int] = Gathered(reads.read, no_pause)
    assert [asyncio.run(shared.get("a")) for _ in range(2)] == [1, 2]
