"""The queue of jobs: first in, first out, with limits on count and bytes, kept in memory only.

A job waits, is processed, and ends as finished or error; a cancelled job ends as error. When ended jobs are too many or
too large, the oldest are removed; a restart removes all. An awaited job has no id for clients: its outcome goes to the
caller that waits for it and is not kept.
"""

import itertools
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from generator.engine_pool import Worker, WorkerPool
from generator.engine_process import EngineFailed
from generator.engines.base import Stopped
from generator.job import FailureReason, Job, JobState
from generator.work import Results, Work

PROGRESS_SHOWN_S = 0.5
"""How often a call that waits hears of progress."""

log = logging.getLogger("easel.generator")


class UnknownJob(Exception):
    """No job has this id: it was never given, or the job has been removed."""


class QueueFull(Exception):
    """Too many jobs wait, or their source images take too much memory."""


class KeyReused(Exception):
    """The key belongs to another request."""


class NotFinished(Exception):
    """The job has no results: not yet, or it ended as error."""


class JobFailed(Exception):
    """An awaited job ended without results."""

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Bounds:
    """How much the queue accepts and keeps."""

    workers: int = 1
    max_queue: int = 100
    max_queue_bytes: int = 256 * 1024 * 1024
    job_timeout_s: float = 600.0
    max_watchers: int = 1000
    keep_count: int = 200
    keep_bytes: int = 512 * 1024 * 1024


@dataclass
class _Ended:
    """Ended jobs, oldest first, with the bytes of their images."""

    sizes: OrderedDict[int, int] = field(default_factory=OrderedDict)
    size_bytes: int = 0


def new_ids() -> Iterator[int]:
    """Return ids. One from before a restart must not find another client's images: each run starts at random."""
    return itertools.count(1 + secrets.randbelow(2**30))


class JobQueue:
    """Runs jobs one after the other on each worker. Call `start` before use and `close` after.

    Queues with the same `ids` give each id once.
    """

    def __init__(self, worker_pool: WorkerPool, bounds: Bounds, ids: Iterator[int] | None = None) -> None:
        self._worker_pool = worker_pool
        self._bounds = bounds
        self._workers: list[Worker] = []
        self._lock = threading.Condition()
        self._jobs: dict[int, Job] = {}
        self._keys: dict[str, int] = {}
        self._waiting: OrderedDict[int, Job] = OrderedDict()
        self._waiting_bytes = 0
        self._processing: set[Job] = set()
        self._ended = _Ended()
        self._watching = 0
        self._closed = False
        self._ids = ids or new_ids()

    def start(self) -> None:
        """Start the workers."""
        self._workers = [self._worker_pool.start_worker() for _ in range(self._bounds.workers)]
        for number, worker in enumerate(self._workers):
            threading.Thread(target=self._work, args=(worker,), name=f"generator-worker-{number}", daemon=True).start()

    def close(self) -> None:
        """Refuse new jobs, end those that have not ended, and end the engines."""
        with self._lock:
            self._closed = True
            for job in [*self._waiting.values(), *self._processing]:
                self._end(job, JobState.ERROR, reason=FailureReason.CLOSED)
            self._lock.notify_all()
        for worker in self._workers:
            worker.close()

    def submit(self, work: Work, size_bytes: int, digest: bytes, key: str | None = None) -> int:
        """Queue a job and return its id; the earlier job's id for the same key and digest.

        `size_bytes` is the memory that the work takes while it waits.

        Raises:
            QueueFull: The queue is at its limit or closed.
            KeyReused: The key belongs to a job with another digest.
        """
        with self._lock:
            if key is not None and key in self._keys:
                known = self._jobs[self._keys[key]]
                if known.digest != digest:
                    raise KeyReused
                return known.id
            job = Job(next(self._ids), key, digest, work, size_bytes)
            self._add(job)
            self._jobs[job.id] = job
            if key is not None:
                self._keys[key] = job.id
            return job.id

    def submit_awaited(self, work: Work) -> Job:
        """Queue a job whose `outcome` the caller awaits: the results, or the exception JobFailed.

        A caller that does not wait until the end calls `abandon`.

        Raises:
            QueueFull: The queue is at its limit or closed.
        """
        outcome: Future[Results] = Future()
        # From here on the caller can no longer cancel the future; only the queue completes it.
        outcome.set_running_or_notify_cancel()
        with self._lock:
            job = Job(next(self._ids), None, b"", work, 0, outcome)
            self._add(job)
            return job

    def abandon(self, job: Job) -> None:
        """Cancel an awaited job because its caller has gone. Does nothing if the job has ended."""
        with self._lock:
            self._end(job, JobState.ERROR, reason=FailureReason.CANCELLED)

    def _add(self, job: Job) -> None:
        """Append a new job to the queue; the caller holds the lock. Raises QueueFull."""
        too_large = self._waiting_bytes + job.size_bytes > self._bounds.max_queue_bytes
        if len(self._waiting) >= self._bounds.max_queue or too_large or self._closed:
            raise QueueFull
        self._waiting[job.id] = job
        self._waiting_bytes += job.size_bytes
        self._lock.notify()

    def knows(self, job_id: int) -> bool:
        """Return whether a job has this id."""
        with self._lock:
            return job_id in self._jobs

    def status(self, job_id: int) -> str:
        """Return the status in the protocol's words.

        Raises:
            UnknownJob: No job has this id.
        """
        with self._lock:
            return self._status(self._get(job_id))

    def ask_preview(self, job_id: int) -> bytes | None:
        """Ask for a preview of the job; return the latest one as WebP, if there is one.

        Raises:
            UnknownJob: No job has this id.
        """
        with self._lock:
            job = self._get(job_id)
            return job.preview.ask() if job.state is JobState.PROCESSING else None

    def watch(self, job_id: int) -> Future[None] | None:
        """Return what completes when the job's status changes; None if it has ended, or too many watch already.

        The caller cancels it when it stops waiting. Progress counts as a change at most twice a second.

        Raises:
            UnknownJob: No job has this id.
        """
        with self._lock:
            job = self._get(job_id)
            if job.has_ended or self._watching >= self._bounds.max_watchers:
                return None
            changed: Future[None] = Future()
            job.watchers[changed] = self._status(job)
            self._watching += 1
            changed.add_done_callback(partial(self._unwatch, job))
            return changed

    def _unwatch(self, job: Job, changed: Future[None]) -> None:
        with self._lock:
            job.watchers.pop(changed, None)
            self._watching -= 1

    def results(self, job_id: int) -> Results:
        """Return the images of a finished job.

        Raises:
            UnknownJob: No job has this id.
            NotFinished: The job has no results; the message is the reason.
        """
        with self._lock:
            job = self._get(job_id)
            if job.results is None:
                reason = job.reason.value if job.reason else "the job is not finished yet"
                raise NotFinished(job.failure or reason)
            return job.results

    def cancel(self, job_id: int) -> bool:
        """Cancel a job and return True; return False if it has ended already.

        Raises:
            UnknownJob: No job has this id.
        """
        with self._lock:
            return self._end(self._get(job_id), JobState.ERROR, reason=FailureReason.CANCELLED)

    def counts(self) -> dict[str, int]:
        """Count the jobs that wait, those that are processed, and the calls that wait for a change."""
        with self._lock:
            return {"queue": len(self._waiting), "processing": len(self._processing), "watching": self._watching}

    def _get(self, job_id: int) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJob from None

    def _status(self, job: Job) -> str:
        waits = job.state is JobState.WAITING
        return job.status(list(self._waiting).index(job.id) + 1 if waits else 0)

    def _take(self) -> tuple[Job, Work] | None:
        """Wait for the next job and return it with its work; None when the queue is closed."""
        with self._lock:
            while not self._waiting and not self._closed:
                self._lock.wait()
            if self._closed:
                return None
            _, job = self._waiting.popitem(last=False)
            work, job.work = job.work, None
            assert work is not None
            self._waiting_bytes -= job.size_bytes
            job.state = JobState.PROCESSING
            self._processing.add(job)
            job.began = time.monotonic()
            job.notify()
            self._notify_waiting()
            return job, work

    def _take_when_ready(self, worker: Worker) -> tuple[Job, Work] | None:
        # A model may load for longer than a job may take, so wait for it before the job's time begins.
        worker.prepare()
        return self._take()

    def _work(self, worker: Worker) -> None:
        while (taken := self._take_when_ready(worker)) is not None:
            self._run(worker, *taken)
            # Pictures that a job was sent do not stay in memory until the next one comes.
            del taken

    def _run(self, worker: Worker, job: Job, work: Work) -> None:
        try:
            results = worker.run(work, partial(self._record_progress, job), job.preview)
        except Stopped:
            self._fail(job, FailureReason.TOO_LONG)
        except EngineFailed as error:
            self._fail(job, FailureReason.ENGINE, str(error))
        except Exception:
            # A fault of one job must not end the thread that runs the next ones.
            log.exception("job %d: the worker failed", job.id)
            self._fail(job, FailureReason.ENGINE)
        else:
            with self._lock:
                self._end(job, JobState.FINISHED, results)

    def _record_progress(self, job: Job, done: float) -> None:
        with self._lock:
            if job.state is not JobState.PROCESSING or self._is_late(job):
                raise Stopped
            job.progress = max(job.progress, min(done, 0.99))
            if time.monotonic() >= job.shown_at + PROGRESS_SHOWN_S:
                job.shown_at = time.monotonic()
                job.notify()

    def _notify_waiting(self) -> None:
        """Notify the watchers of jobs whose position in the queue has changed; the caller holds the lock."""
        # A queue that closes ends each job, and may be long.
        if self._closed or not self._watching:
            return
        for position, job in enumerate(self._waiting.values(), start=1):
            job.notify(position)

    def _is_late(self, job: Job) -> bool:
        return time.monotonic() > job.began + self._bounds.job_timeout_s

    def _fail(self, job: Job, reason: FailureReason, failure: str = "") -> None:
        with self._lock:
            if self._end(job, JobState.ERROR, reason=reason):
                job.failure = failure or None
                log.warning("job %d: %s", job.id, failure or reason.value)

    def _end(
        self, job: Job, state: JobState, results: Results | None = None, reason: FailureReason | None = None
    ) -> bool:
        """End a job and return True; return False if it has ended already. The caller holds the lock."""
        if job.has_ended:
            return False
        if self._waiting.pop(job.id, None) is not None:
            self._waiting_bytes -= job.size_bytes
            self._notify_waiting()
        else:
            self._processing.discard(job)
            job.took_s = time.monotonic() - job.began
        job.state, job.reason, job.work = state, reason, None
        job.results = None if job.outcome else results
        job.notify()
        if job.outcome is not None:
            if results is not None:
                job.outcome.set_result(results)
            elif reason is not None:
                job.outcome.set_exception(JobFailed(reason))
            return True
        self._ended.sizes[job.id] = results.size_bytes if results else 0
        self._ended.size_bytes += self._ended.sizes[job.id]
        while len(self._ended.sizes) > self._bounds.keep_count or self._ended.size_bytes > self._bounds.keep_bytes:
            self._remove(*self._ended.sizes.popitem(last=False))
        return True

    def _remove(self, job_id: int, size_bytes: int) -> None:
        self._ended.size_bytes -= size_bytes
        job = self._jobs.pop(job_id)
        if job.key is not None:
            self._keys.pop(job.key, None)
