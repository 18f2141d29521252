"""Pools of threads beside the event loop."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from functions.http.threads import BoundedPool
from shared.core.errors import Unavailable

NAME: ContextVar[str] = ContextVar("name")


def test_it_works() -> None:
    NAME.set("ada")
    assert asyncio.run(BoundedPool(1, 0).call(NAME.get)) == "ada"


def test_what_does_not_fit_is_refused_at_once() -> None:
    pool = BoundedPool(1, 1)
    go, begun = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return go.wait(60)

    async def fill() -> None:
        taken = [asyncio.create_task(pool.call(work)) for _ in range(2)]
        await asyncio.to_thread(begun.wait)
        with pytest.raises(Unavailable) as refused:
            await pool.call(work)
        assert refused.value.retry_after_s
        go.set()
        assert await asyncio.gather(*taken) == [True, True]
        assert await pool.call(work)

    asyncio.run(fill())


def test_a_call_whose_request_has_gone_keeps_its_place_until_it_ends() -> None:
    pool = BoundedPool(1, 0)
    go, begun = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return go.wait(60)

    async def leave() -> None:
        task = asyncio.create_task(pool.call(work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Unavailable):
            await pool.call(work)
        go.set()

    asyncio.run(leave())


def test_an_error_of_a_call_is_raised_and_its_place_is_free() -> None:
    pool = BoundedPool(1, 0)

    def fail() -> None:
        raise KeyError

    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await pool.call(fail)

    asyncio.run(twice())
