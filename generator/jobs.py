"""The queue: first in, first out, bounded in every direction, kept in memory only.

A job waits, is processed, and ends as finished or error; a cancelled job ends as error. Ended jobs are forgotten oldest
first when they are too many or too heavy, and all are forgotten at a restart. An attended job cannot be asked for: its
outcome goes to the one who waits for it, and nothing of it is kept.
"""

import enum
import logging
import secrets
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from generator.engines.base import Stopped
from generator.studio import EngineFailed, Studio, Worker
from generator.work import Results, Work

log = logging.getLogger("easel.generator")


class State(enum.Enum):
    """Where a job stands."""

    WAITING = "waiting"
    PROCESSING = "processing"
    FINISHED = "finished"
    ERROR = "error"


class Reason(enum.Enum):
    """Why a job ended as error; the value says it to the client."""

    CANCELLED = "the job was cancelled"
    TOO_LONG = "the job took too long"
    ENGINE = "the engine failed"
    CLOSED = "the service is stopping"


class UnknownJob(Exception):
    """No job has this number: it never had, or it was forgotten."""


class QueueFull(Exception):
    """Too many jobs wait, or the pictures they bring are too heavy."""


class KeyReused(Exception):
    """The key belongs to another request."""


class NotFinished(Exception):
    """There are no results: not yet, or never."""


class JobFailed(Exception):
    """An attended job ended without results."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(eq=False)
class Job:
    """A job's changing part; guarded by the queue's lock."""

    id: int
    key: str | None
    digest: bytes
    work: Work | None
    size_bytes: int
    outcome: Future[Results] | None = None
    state: State = State.WAITING
    progress: float = 0.0
    began: float = 0.0
    took_s: float = 0.0
    results: Results | None = None
    reason: Reason | None = None


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
    """Runs jobs one after the other on each worker. `start` before use, `close` after."""

    def __init__(self, studio: Studio, bounds: Bounds) -> None:
        self._studio = studio
        self._bounds = bounds
        self._workers: list[Worker] = []
        self._lock = threading.Condition()
        self._jobs: dict[int, Job] = {}
        self._keys: dict[str, int] = {}
        self._waiting: OrderedDict[int, Job] = OrderedDict()
        self._waiting_bytes = 0
        self._processing: set[Job] = set()
        self._ended = _Ended()
        self._closed = False
        # A number of an earlier run must not name somebody else's picture, so each run counts from another place.
        self._next_id = 1 + secrets.randbelow(2**30)

    def start(self) -> None:
        """Start the workers."""
        self._workers = [self._studio.worker() for _ in range(self._bounds.workers)]
        for number, worker in enumerate(self._workers):
            threading.Thread(target=self._work, args=(worker,), name=f"generator-worker-{number}", daemon=True).start()

    def close(self) -> None:
        """Stop taking jobs, end all that have not ended, and end the engines."""
        with self._lock:
            self._closed = True
            for job in [*self._waiting.values(), *self._processing]:
                self._end(job, State.ERROR, reason=Reason.CLOSED)
            self._lock.notify_all()
        for worker in self._workers:
            worker.close()

    def submit(self, work: Work, size_bytes: int, digest: bytes, key: str | None = None) -> int:
        """The job's number; the first one's for the same key and digest. Raises QueueFull and KeyReused.

        `size_bytes` is what the work weighs while it waits.
        """
        with self._lock:
            if key is not None and key in self._keys:
                known = self._jobs[self._keys[key]]
                if known.digest != digest:
                    raise KeyReused
                return known.id
            job = Job(self._next_id, key, digest, work, size_bytes)
            self._add(job)
            self._jobs[job.id] = job
            if key is not None:
                self._keys[key] = job.id
            return job.id

    def attend(self, work: Work) -> Job:
        """A job whose `outcome` is awaited: it ends with the results or JobFailed. Raises QueueFull.

        Who does not wait until the end calls `leave`.
        """
        outcome: Future[Results] = Future()
        # From here on only the queue ends it, whoever waits for it gives up.
        outcome.set_running_or_notify_cancel()
        with self._lock:
            job = Job(self._next_id, None, b"", work, 0, outcome)
            self._add(job)
            return job

    def leave(self, job: Job) -> None:
        """End an attended job that nobody waits for any more. Does nothing to one that has ended."""
        with self._lock:
            self._end(job, State.ERROR, reason=Reason.CANCELLED)

    def _add(self, job: Job) -> None:
        """Put a new job at the end of the queue. Raises QueueFull. Needs the lock."""
        heavy = self._waiting_bytes + job.size_bytes > self._bounds.max_queue_bytes
        if len(self._waiting) >= self._bounds.max_queue or heavy or self._closed:
            raise QueueFull
        self._next_id += 1
        self._waiting[job.id] = job
        self._waiting_bytes += job.size_bytes
        self._lock.notify()

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
                raise NotFinished(job.reason.value if job.reason else "the pictures are not finished yet")
            return job.results

    def cancel(self, job_id: int) -> bool:
        """End a job that has not ended; False if it has. Raises UnknownJob."""
        with self._lock:
            return self._end(self._get(job_id), State.ERROR, reason=Reason.CANCELLED)

    def counts(self) -> dict[str, int]:
        """How many jobs wait and how many are processed."""
        with self._lock:
            return {"queue": len(self._waiting), "processing": len(self._processing)}

    def _get(self, job_id: int) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJob from None

    def _take(self) -> tuple[Job, Work] | None:
        """The next job and its work, as soon as there is one; None when the queue is closed."""
        with self._lock:
            while not self._waiting and not self._closed:
                self._lock.wait()
            if self._closed:
                return None
            _, job = self._waiting.popitem(last=False)
            work, job.work = job.work, None
            assert work is not None
            self._waiting_bytes -= job.size_bytes
            job.state = State.PROCESSING
            self._processing.add(job)
            job.began = time.monotonic()
            return job, work

    def _take_when_ready(self, worker: Worker) -> tuple[Job, Work] | None:
        # Before a job's time begins: a model may load for longer than a job may take.
        worker.prepare()
        return self._take()

    def _work(self, worker: Worker) -> None:
        while (taken := self._take_when_ready(worker)) is not None:
            job, work = taken
            try:
                results = worker.run(work, partial(self._note, job))
            except Stopped:
                self._fail(job, Reason.TOO_LONG)
            except EngineFailed:
                self._fail(job, Reason.ENGINE)
            except Exception:
                # Whatever it is, the next job is not to blame.
                log.exception("job %d: the worker failed", job.id)
                self._fail(job, Reason.ENGINE)
            else:
                with self._lock:
                    self._end(job, State.FINISHED, results)

    def _note(self, job: Job, done: float) -> None:
        with self._lock:
            if job.state is not State.PROCESSING or self._late(job):
                raise Stopped
            job.progress = max(job.progress, min(done, 0.99))

    def _late(self, job: Job) -> bool:
        return time.monotonic() > job.began + self._bounds.job_timeout_s

    def _fail(self, job: Job, reason: Reason) -> None:
        with self._lock:
            if self._end(job, State.ERROR, reason=reason):
                log.warning("job %d: %s", job.id, reason.value)

    def _end(self, job: Job, state: State, results: Results | None = None, reason: Reason | None = None) -> bool:
        """Move a job to its end once; False if it had ended. Needs the lock."""
        if job.state not in (State.WAITING, State.PROCESSING):
            return False
        if self._waiting.pop(job.id, None) is not None:
            self._waiting_bytes -= job.size_bytes
        else:
            self._processing.discard(job)
            job.took_s = time.monotonic() - job.began
        job.state, job.reason, job.work = state, reason, None
        if job.outcome is not None:
            _tell(job.outcome, results, reason)
            return True
        job.results = results
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


def _tell(outcome: Future[Results], results: Results | None, reason: Reason | None) -> None:
    if results is not None:
        outcome.set_result(results)
    else:
        assert reason is not None
        outcome.set_exception(JobFailed(reason))
