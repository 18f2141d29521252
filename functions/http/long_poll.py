"""Waiting for jobs to change: one question to the database each quarter of a second, for everyone who waits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from shared.core.errors import Unavailable

LOOK_S = 0.25


@dataclass(eq=False)
class _Waiter:
    job_id: UUID
    seen: str | None
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """Holds answers back until a job changes, without a thread or a connection for each one that is held."""

    def __init__(self, read: Callable[[list[UUID]], dict[UUID, str]]) -> None:
        self._read = read
        self._waiters: set[_Waiter] = set()
        self._looking: asyncio.Task[None] | None = None

    async def sign(self, job_id: UUID) -> str | None:
        """The job's present sign, to be given to `changed`."""
        return (await run_in_threadpool(self._read, [job_id])).get(job_id)

    async def changed(self, job_id: UUID, seen: str | None, timeout_s: float) -> None:
        """Return when the job's sign is no longer `seen`, or after `timeout_s`."""
        waiter = _Waiter(job_id, seen)
        self._waiters.add(waiter)
        looking = self._looking
        # In Lambda each event may have an event loop of its own; a task of an earlier one never runs again.
        if looking is None or looking.done() or looking.get_loop() is not asyncio.get_running_loop():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(waiter.woken.wait(), timeout_s)
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)

    async def _look(self) -> None:
        while self._waiters:
            await asyncio.sleep(LOOK_S)
            waiters = list(self._waiters)
            try:
                signs = await run_in_threadpool(self._read, list({waiter.job_id for waiter in waiters}))
            except Unavailable:
                signs = {}  # everyone asks again and hears of it
            for waiter in waiters:
                if signs.get(waiter.job_id) != waiter.seen:
                    waiter.woken.set()
