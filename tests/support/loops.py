"""The event loop that Mangum uses: the one of its thread, or one that it creates and leaves open.

An open loop that nobody holds is collected at any later line, in a test that has nothing to do with it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def loop_of_thread() -> Iterator[None]:
    """Give this thread an event loop, and close it."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        try:
            yield
        finally:
            asyncio.set_event_loop(None)
