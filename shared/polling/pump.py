"""The pump: moves all jobs that are due, in a thread of each worker process.

It claims many jobs by one statement, does their steps side by side, each in a thread, and writes the outcomes that are
there in one batch. Meanwhile it waits for the next outcome, the next due step of its jobs, or a wake-up.
"""

import queue
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from heapq import heappop, heappush
from itertools import islice
from uuid import UUID

from shared.images import jail
from shared.polling import dispatch
from shared.polling.floors import Floors
from shared.polling.latency import SLOW_S
from shared.polling.patience import patient
from shared.polling.worker import Done, Taken, Worker

AT_ONCE = 32
"""The default of how many short steps a process does at once, and of the outcomes in one batch."""

MOST_AT_ONCE = 256
MOST_STEPS = 1024
"""The threads of a process, which are started as they are needed and used again."""

MOST_OF_ONE = MOST_STEPS // 4
"""The steps of one generator's jobs that a process has in hand; the others are left to other processes."""

IDLE_LOOK_S = 0.5
"""How often a process looks for due jobs that it does not know of: those of one that died or has its hands full."""

BUSY, GATHER_S = 8, 0.01
"""With so many steps in hand a process waits so long for more outcomes to write with the first."""

STOP_S = 20.0
"""How long a stopping process waits for its steps; then it loses its claims, and another one finds the jobs."""


class _Call(Enum):
    """What wakes the pump: a wake-up, or a finished step."""

    WAKE_UP = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class _InHand:
    """A step in hand. `takes_long` as it was known when it began: a client may learn during it that it can wait."""

    generator: str
    takes_long: bool
    began: float
    done: Future[Done]


class Pump:
    """Moves jobs until it is stopped. `at_once` limits the steps in hand; those that take long are not counted.

    Those are steps that wait for a generator's work, those of a generator that has been slow, and any that has lasted
    for `slow_s`, as all do while the storage is slow. There are never more of them than their generators have places,
    because a job holds its place for as long as its step lasts, and of one generator never more than MOST_OF_ONE.
    """

    def __init__(self, worker: Worker, at_once: int = AT_ONCE, slow_s: float = SLOW_S) -> None:
        self._worker = worker
        self._at_once = at_once
        self._slow_s = slow_s
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._due: list[float] = []  # when to look again, by time.monotonic: a heap
        self._in_hand: dict[UUID, _InHand] = {}
        self._looked = float("-inf")
        self._floors = Floors()
        self._more_due = False
        self._thread: threading.Thread | None = None
        self._threads = ThreadPoolExecutor(MOST_STEPS, "step")

    def wake(self) -> None:
        """Look for jobs to start and for steps that are due now; wake-ups at the same time fold into one look."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
            self._thread.start()
        self._calls.put(_Call.WAKE_UP)

    def stop(self) -> None:
        """Claim nothing more, have long steps end soon, and wait until the steps in hand are written."""
        self._worker.stopping.set()
        if self._thread is not None:
            self._calls.put(_Call.WAKE_UP)
            self._thread.join(STOP_S)
        self._worker.slow_pictures.close()
        jail.lanes().close()  # Celery's children skip what `atexit` would do

    @property
    def _short(self) -> int:
        """How many of the steps in hand count."""
        latest = time.monotonic() - self._slow_s
        return sum(not step.takes_long and step.began > latest for step in self._in_hand.values())

    def _run(self) -> None:
        with patient("starting the jail"):
            jail.lanes().generated.start()  # ready before the first picture is
        while not self._worker.stopping.is_set() or self._in_hand:
            with patient("moving jobs"):
                self._turn()

    def _turn(self) -> None:
        """Wait until there is something to do, and do it. What an error leaves undone, the next turn finds."""
        self._worker.settle_all_but(self._in_hand)
        woken = self._wait()
        done = list(islice((token for token, step in self._in_hand.items() if step.done.done()), self._at_once))
        places_freed = self._write([self._in_hand.pop(token).done.result() for token in done])
        if not self._worker.stopping.is_set():
            self._take(start=woken or places_freed)

    def _wait(self) -> bool:
        """Wait until there is something to do; return whether a wake-up has come."""
        due = self._due[0] if self._due else float("inf")
        calls: list[_Call] = []
        try:
            calls.append(self._calls.get(timeout=max(0.0, min(IDLE_LOOK_S, due - time.monotonic()))))
            until = time.monotonic() + (GATHER_S if self._short >= BUSY else 0)
            while len(calls) < self._at_once:
                calls.append(self._calls.get(timeout=max(0.0, until - time.monotonic())))
        except queue.Empty:
            pass
        return _Call.WAKE_UP in calls

    def _write(self, done: list[Done]) -> bool:
        """Write outcomes; return whether jobs have left their generators."""
        if not done:
            return False
        places_freed = False
        for ended in self._worker.write(done, keep=not self._worker.stopping.is_set()):
            if ended.kept:
                self._do_in_thread(ended.kept)
            elif ended.next_step_s is None:
                places_freed = True
                if ended.requeued:
                    self._floors.expire()
            else:
                heappush(self._due, time.monotonic() + ended.next_step_s)
        return places_freed

    def _take(self, *, start: bool) -> None:
        """Start jobs at free places, claim what is due, and do its steps in threads."""
        now = time.monotonic()
        is_due = start or self._more_due or now - self._looked >= IDLE_LOOK_S
        while self._due and self._due[0] <= now:
            heappop(self._due)
            is_due = True
        if is_due:
            self._floors.refresh(self._worker.services.db)
        if start:
            pool = self._worker.pool
            avoided = pool.latency.list_avoided()
            dispatch.start(self._worker.services, pool.count_ignored(), self._floors.place, avoided)
        free = min(self._at_once - self._short, MOST_STEPS - len(self._in_hand))
        if free <= 0 or not is_due:
            self._more_due |= is_due
            return
        self._looked = now
        of_each = Counter(step.generator for step in self._in_hand.values())
        full = [name for name, count in of_each.items() if count >= MOST_OF_ONE]
        taken = self._worker.claim_due(free, self._floors.due_at, full)
        self._more_due = len(taken) == free
        for claimed in taken:
            self._do_in_thread(claimed)

    def _do_in_thread(self, taken: Taken) -> None:
        takes_long, began = taken.takes_long, time.monotonic()
        done = self._threads.submit(self._worker.do, taken)
        self._in_hand[taken.claim.attempt_token] = _InHand(taken.claim.generator, takes_long, began, done)
        done.add_done_callback(lambda _: self._calls.put(_Call.DONE))
