"""Calls that wait for the database or the storage, in threads beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from typing import ParamSpec, TypeVar

MOST_THREADS = 40
"""As many calls at once as in Starlette's pool, which takes twice as long to hand a call over."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


async def in_thread(function: Callable[Given, Result], *arguments: Given.args, **named: Given.kwargs) -> Result:
    """Call the function in a thread, with the caller's context variables, and return its result."""
    call = partial(copy_context().run, function, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_THREADS, "calls")
