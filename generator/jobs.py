"""The queue: first in, first out, bounded in every direction, kept in memory only.

A job waits, is processed, and ends as finished or error; a cancelled job ends as error. Ended jobs are forgotten oldest
first when they are too many or too heavy, and all are forgotten at a restart.
"""

import enum
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from generator.engines.base import Stopped
from generator.work import Note, Results, Task

log = logging.getLogger("easel.generator")


class State(enum.Enum):
    """Where a job stands."""

    WAITING = "waiting"
    PROCESSING = "processing"
    FINISHED = "finished"
    ERROR = "error"


class UnknownJob(Exception):
    """No job has this number: it never had, or it was forgotten."""


class QueueFull(Exception):
    """Too many jobs wait, or the pictures they bring are too heavy."""


class KeyReused(Exception):
    """The key belongs to another request."""


class NotFinished(Exception):
    """There are no results: not yet, or never."""


@dataclass
class Job:
    """A job's changing part; guarded by the queue's lock."""

    id: int
    key: str | None
    digest: bytes
    task: Task | None
    state: State = State.WAITING
    progress: float = 0.0
    deadline: float = 0.0
    results: Results | None = None
    reason: str = ""


@dataclass(frozen=True)
class Bounds:
    """How much the queue takes and keeps."""

    workers: int = 1
    max_queue: int = 100
    max_queue_bytes: int = 256 * 1024 * 1024
    job_timeout_s: float = 600.0
    keep_count: int = 200
    keep_bytes: int = 512 * 1024 * 1024


@dataclass
class _Ended:
    """Ended jobs, oldest first, with what their pictures weigh."""

    order: OrderedDict[int, int] = field(default_factory=OrderedDict)
    size_bytes: int = 0


class JobQueue:
    """Runs tasks one after the other on each worker. `start` before use, `close` after."""

    def __init__(self, run: Callable[[Task, Note], Results], bounds: Bounds) -> None:
        self._run = run
        self._bounds = bounds
        self._lock = threading.Condition()
        self._jobs: dict[int, Job] = {}
        self._keys: dict[str, int] = {}
        self._waiting: OrderedDict[int, Job] = OrderedDict()
        self._waiting_bytes = 0
        self._ended = _Ended()
        self._closed = False
        # A number of an earlier run must not name somebody else's picture, so each run counts from another place.
        self._next_id = 1 + secrets.randbelow(2**30)

    def start(self) -> None:
        """Start the workers."""
        for number in range(self._bounds.workers):
            threading.Thread(target=self._work, name=f"generator-worker-{number}", daemon=True).start()

    def close(self) -> None:
        """Stop taking jobs; running ones are stopped at their next step."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()

    def submit(self, task: Task, digest: bytes, key: str | None = None) -> int:
        """The job's number; the first one's for the same key and digest. Raises QueueFull and KeyReused."""
        with self._lock:
            if key is not None and key in self._keys:
                known = self._jobs[self._keys[key]]
                if known.digest != digest:
                    raise KeyReused
                return known.id
            heavy = self._waiting_bytes + task.size_bytes > self._bounds.max_queue_bytes
            if len(self._waiting) >= self._bounds.max_queue or heavy or self._closed:
                raise QueueFull
            job = Job(self._next_id, key, digest, task)
            self._next_id += 1
            self._jobs[job.id] = self._waiting[job.id] = job
            self._waiting_bytes += task.size_bytes
            if key is not None:
                self._keys[key] = job.id
            self._lock.notify()
            return job.id

    def status(self, job_id: int) -> str:
        """The status in the protocol's words. Raises UnknownJob."""
        with self._lock:
            job = self._get(job_id)
            if job.state is State.WAITING:
                return f"queue position: {list(self._waiting).index(job_id) + 1}"
            if job.state is State.PROCESSING:
                return f"processing: {int(job.progress * 100)}%"
            return str(job.state.value)

    def results(self, job_id: int) -> Results:
        """The pictures of a finished job. Raises UnknownJob, and NotFinished with the reason."""
        with self._lock:
            job = self._get(job_id)
            if job.results is None:
                raise NotFinished(job.reason or "the pictures are not finished yet")
            return job.results

    def cancel(self, job_id: int) -> bool:
        """End a job that has not ended; False if it has. Raises UnknownJob."""
        with self._lock:
            return self._end(self._get(job_id), State.ERROR, reason="the job was cancelled")

    def counts(self) -> dict[str, int]:
        """How many jobs wait and how many are processed."""
        with self._lock:
            processing = sum(job.state is State.PROCESSING for job in self._jobs.values())
            return {"queue": len(self._waiting), "processing": processing}

    def _get(self, job_id: int) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJob from None

    def _take(self) -> tuple[Job, Task] | None:
        """The next job and its task, as soon as there is one; None when the queue is closed."""
        with self._lock:
            while not self._waiting and not self._closed:
                self._lock.wait()
            if self._closed:
                return None
            _, job = self._waiting.popitem(last=False)
            task, job.task = job.task, None
            assert task is not None
            self._waiting_bytes -= task.size_bytes
            job.state = State.PROCESSING
            job.deadline = time.monotonic() + self._bounds.job_timeout_s
            return job, task

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            job, task = taken
            # A thread cannot be killed: one that hangs is left behind, and this worker goes on with the next job.
            runner = threading.Thread(
                target=self._attempt, args=(job, task), name=f"generator-job-{job.id}", daemon=True
            )
            runner.start()
            runner.join(self._bounds.job_timeout_s)
            if runner.is_alive():
                self._fail(job, "the job took too long")

    def _attempt(self, job: Job, task: Task) -> None:
        try:
            results = self._run(task, partial(self._note, job))
        except Stopped:
            self._fail(job, "the job took too long")
        except Exception:
            log.exception("job %d: the engine failed", job.id)
            self._fail(job, "the engine failed")
        else:
            with self._lock:
                self._end(job, State.FINISHED, results)

    def _note(self, job: Job, done: float) -> None:
        with self._lock:
            if job.state is not State.PROCESSING or self._closed or time.monotonic() > job.deadline:
                raise Stopped
            job.progress = max(job.progress, min(done, 0.99))

    def _fail(self, job: Job, reason: str) -> None:
        with self._lock:
            if self._end(job, State.ERROR, reason=reason):
                log.warning("job %d: %s", job.id, reason)

    def _end(self, job: Job, state: State, results: Results | None = None, reason: str = "") -> bool:
        """Move a job to its end once; False if it had ended. Needs the lock."""
        if job.state not in (State.WAITING, State.PROCESSING):
            return False
        if self._waiting.pop(job.id, None) is not None and job.task is not None:
            self._waiting_bytes -= job.task.size_bytes
        job.state, job.results, job.reason, job.task = state, results, reason, None
        self._ended.order[job.id] = results.size_bytes if results else 0
        self._ended.size_bytes += self._ended.order[job.id]
        while len(self._ended.order) > self._bounds.keep_count or self._ended.size_bytes > self._bounds.keep_bytes:
            self._forget(*self._ended.order.popitem(last=False))
        return True

    def _forget(self, job_id: int, size_bytes: int) -> None:
        self._ended.size_bytes -= size_bytes
        job = self._jobs.pop(job_id)
        if job.key is not None:
            self._keys.pop(job.key, None)
