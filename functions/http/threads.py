"""Calls in threads beside the event loop: those that wait for the database or the storage, and those that compute."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from threading import Semaphore
from typing import ParamSpec, TypeVar

from shared.core.errors import Unavailable

MOST_THREADS = 40
"""As many calls at once as in Starlette's pool, which takes twice as long to hand a call over."""

MOST_PASSWORDS_WAITING = 64
"""How many calls with a password wait for a thread: two to three seconds of work for one core. One that waits costs
next to nothing; one that is refused is sent again at once by those who mean harm."""

MOST_AT_PROVIDER = 8
"""How many calls wait for the provider at once."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def in_thread(function: Callable[Given, Result], *arguments: Given.args, **named: Given.kwargs) -> Result:
    """Call the function in a thread, with the caller's context variables, and return its result."""
    call = partial(copy_context().run, function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_THREADS, "calls")


class BoundedPool:
    """A few threads with a queue of a fixed length."""

    def __init__(self, threads: int, waiting: int, name: str = "bounded") -> None:
        self._threads = ThreadPoolExecutor(threads, name)
        self._places = Semaphore(threads + waiting)

    async def call(self, function: Callable[Given, Result], *arguments: Given.args, **named: Given.kwargs) -> Result:
        """Call the function as `in_thread` does.

        Raises:
            Unavailable: All threads are busy, and as many calls wait as may wait.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many people are signing in right now. Try again in a moment.")
        call = partial(copy_context().run, function, *arguments, **named)
        future = self._threads.submit(call)
        # A call whose request has ended still takes its place.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)


@cache
def passwords() -> BoundedPool:
    """Return the threads for calls that hash a password: half of the cores, so that the others serve everybody.

    A hash takes 19 MiB and some 30 ms of a core. A thread keeps that memory.
    """
    return BoundedPool(max(1, (os.cpu_count() or 1) // 2), MOST_PASSWORDS_WAITING, "passwords")


@cache
def providers() -> BoundedPool:
    """Return the threads for calls that wait for the OpenID Connect provider, so that a slow one holds up no others."""
    return BoundedPool(MOST_AT_PROVIDER, 4 * MOST_AT_PROVIDER, "providers")
