"""Long polls for jobs: one query every quarter of a second serves all requests that wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from functions.http.threads import in_thread
from shared.core.errors import Unavailable

POLL_S = 0.25


@dataclass(eq=False, slots=True)
class _Waiter:
    """A request that waits until its job's sign differs from the one it has seen."""

    job_id: UUID
    seen: str | None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class LongPoll:
    """Holds requests until their job changes, without a thread or a connection for each of them.

    `read_signs` returns, for each job that exists, a text that changes when the job or its place in the queue does.
    """

    def __init__(self, read_signs: Callable[[list[UUID]], dict[UUID, str]]) -> None:
        self._read_signs = read_signs
        self._waiters: set[_Waiter] = set()
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, job_id: UUID, seen: str | None, timeout_s: float) -> None:
        """Return when the job's sign is no longer `seen`, or after `timeout_s`."""
        waiter = _Waiter(job_id, seen)
        self._waiters.add(waiter)
        polling = self._polling
        # In Lambda each event may have its own event loop; a task of an earlier loop never runs again.
        if polling is None or polling.done() or polling.get_loop() is not asyncio.get_running_loop():
            self._polling = asyncio.create_task(self._poll())
        try:
            await asyncio.wait_for(waiter.changed.wait(), timeout_s)
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)

    async def _poll(self) -> None:
        while self._waiters:
            await asyncio.sleep(POLL_S)
            waiters = list(self._waiters)
            try:
                signs = await in_thread(self._read_signs, list({waiter.job_id for waiter in waiters}))
            except Unavailable:
                signs = {}  # every request reads its job again and gets the error
            for waiter in waiters:
                if signs.get(waiter.job_id) != waiter.seen:
                    waiter.changed.set()
