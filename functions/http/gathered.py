"""Reads that many requests ask for at once, made together: one statement instead of one for each."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from functions.http.threads import in_thread

MOST_AT_ONCE = 500
"""How many keys one read has at most."""

ANSWERED_AT_ONCE, REST_S = 20, 0.01
"""How many keys' requests are answered before other requests come between, and for how long they do.

Those that are answered ask again, so answers that come together are requests that come together.
"""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def is_running(task: asyncio.Task[None] | None) -> bool:
    """Return whether a task goes on in this event loop.

    In Lambda each event may have its own loop; a task of an earlier one never runs again.
    """
    return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()


class Gathered(Generic[Key, Value]):
    """Reads keys in batches: requests that come while one batch is read form the next one; equal keys are read once.

    `read` returns the values of the keys that it finds, in a thread; `pause_s` says how long a batch is gathered.
    """

    def __init__(self, read: Callable[[Collection[Key]], Mapping[Key, Value]], pause_s: Callable[[], float]) -> None:
        self._read = read
        self._pause_s = pause_s
        self._asked: dict[Key, asyncio.Future[Value | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        """Return the current value of a key, None if it is missing. Propagates the exceptions of `read`."""
        if not is_running(self._reading):
            self._asked = {}
            self._reading = asyncio.create_task(self._read_batches())
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(answer)  # the others who asked for it still wait

    async def _read_batches(self) -> None:
        while self._asked:
            await asyncio.sleep(0)  # lets all requests of this round of the loop ask
            if len(self._asked) < MOST_AT_ONCE and (pause_s := self._pause_s()):
                await asyncio.sleep(pause_s)
            keys = list(self._asked)[:MOST_AT_ONCE]
            batch = {key: self._asked.pop(key) for key in keys}
            try:
                found = await in_thread(self._read, keys)
            except Exception as error:
                for answer in batch.values():
                    answer.set_exception(error)
                    answer.exception()  # nobody may wait for it any more
            else:
                for number, (key, answer) in enumerate(batch.items(), 1):
                    answer.set_result(found.get(key))
                    if number % ANSWERED_AT_ONCE == 0:
                        await asyncio.sleep(REST_S)
