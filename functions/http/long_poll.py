"""Long polls for jobs: one query, repeated, serves all requests of a process that wait, and one reads their jobs."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from functions.http.gathered import Gathered, Key, Value, is_running
from functions.http.spread_ends import SpreadEnds
from functions.http.threads import in_thread
from shared.core.db import DatabaseFault
from shared.core.errors import Unavailable
from shared.jobs.watch_store import Seen

LONGEST_PAUSE_S, SHORTEST_PAUSE_S = 1.0, 0.025
LAMBDA_PAUSE_S = 0.25
"""The shortest pause where each request that waits has a process of its own."""
PAUSE_PER_LOOK = 5
"""The pause between two looks, in times of the last one: they take a sixth of one connection's time at most."""
GATHERED_PER_WAITER_S = 0.000_2
"""How long reads of jobs are gathered, for each request that waits: a second for 5,000."""


def pause_s(look_s: float, shortest_s: float) -> float:
    """Return the pause after a look that took `look_s`."""
    return min(LONGEST_PAUSE_S, max(shortest_s, PAUSE_PER_LOOK * look_s))


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that waits until its job's sign differs from the one it has seen. `changed` is False at its end."""

    seen: Seen
    changed: asyncio.Future[bool]

    def set(self, changed: bool) -> None:
        if not self.changed.done():
            self.changed.set_result(changed)


class LongPoll:
    """Holds requests until their job changes, without a thread or a connection for each of them.

    `list_changed` returns those of the jobs and signs it is given whose job has another sign now, or is gone. A sign is
    a text that changes when the job does.
    The pause between two looks is `shortest_pause_s` while few requests wait, and at most `LONGEST_PAUSE_S`.
    """

    def __init__(self, list_changed: Callable[[Collection[Seen]], Collection[Seen]], shortest_pause_s: float) -> None:
        self._list_changed = list_changed
        self.shortest_pause_s = shortest_pause_s
        self._waiters: set[_Waiter] = set()
        self._ends = SpreadEnds()
        self._polling: asyncio.Task[None] | None = None
        self._gathered: dict[bool, Gathered[Any, Any]] = {}

    def gathered(
        self, read: Callable[[Collection[Key]], Mapping[Key, Value]], *, soon: bool = False
    ) -> Gathered[Key, Value]:
        """Return what reads jobs for all requests that wait; `read` is the same at every call.

        soon: it reads without a pause, and not together with those for which a pause is made.
        """
        if soon not in self._gathered:
            self._gathered[soon] = Gathered(read, (lambda: 0.0) if soon else self._gather_pause_s)
        return self._gathered[soon]

    def _gather_pause_s(self) -> float:
        return min(LONGEST_PAUSE_S, GATHERED_PER_WAITER_S * len(self._waiters))

    async def wait(self, job_id: UUID, seen: str | None, timeout_s: float) -> bool:
        """Return whether the job's sign is no longer `seen`: as soon as that is so, or after `timeout_s`.

        Where many requests would end at once, some end after half of their time (see `SpreadEnds`).
        """
        loop = asyncio.get_running_loop()
        waiter = _Waiter((job_id, seen), loop.create_future())
        self._waiters.add(waiter)
        if not is_running(self._polling):
            self._polling = loop.create_task(self._poll())
        end = self._ends.add(loop.time(), timeout_s)
        timer = loop.call_at(end, waiter.set, False)
        try:
            return await waiter.changed
        finally:
            timer.cancel()
            self._ends.remove(end)
            self._waiters.discard(waiter)

    async def _poll(self) -> None:
        clock, look_s = asyncio.get_running_loop().time, 0.0
        while self._waiters:
            await asyncio.sleep(pause_s(look_s, self.shortest_pause_s))
            waiters, begin = list(self._waiters), clock()
            seen = {waiter.seen for waiter in waiters}
            try:
                changed: Collection[Seen] = await in_thread(self._list_changed, seen)
            except (Unavailable, DatabaseFault):
                changed = seen  # every request reads its job again and gets the error
            look_s = clock() - begin
            for waiter in waiters:
                if waiter.seen in changed:
                    waiter.set(True)
