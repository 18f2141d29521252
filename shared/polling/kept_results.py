"""What generators gave for jobs whose pictures could not be stored: their next step does not ask for it again."""

import threading
from dataclasses import dataclass, field
from uuid import UUID

from shared.generators.base import Result
from shared.polling.claims import ClaimedJob

KEPT_BYTES = 64_000_000
"""The size of the files that a process keeps; the oldest make room for new ones."""


@dataclass
class KeptResults:
    """Results by job, each until it is taken, its job leaves the generator, or there is no room. Threads may share it.

    Another process that gets the job's next step asks the generator again.
    """

    room_bytes: int = KEPT_BYTES
    _kept: dict[UUID, tuple[object, Result]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, claim: ClaimedJob, done: int, result: Result) -> None:
        """Keep what the generator gave after the first `done` pictures of the job."""
        with self._lock:
            self._kept.pop(claim.id, None)
            self._kept[claim.id] = (_part(claim, done), result)
            size = sum(_size_bytes(kept) for _, kept in self._kept.values())
            for job_id, (_, kept) in list(self._kept.items()):
                if size <= self.room_bytes:
                    break
                size -= _size_bytes(kept)
                del self._kept[job_id]

    def take(self, claim: ClaimedJob, done: int) -> Result | None:
        """Remove and return the result after this attempt's first `done` pictures, None if it is missing."""
        with self._lock:
            part, result = self._kept.get(claim.id, (None, None))
            if result is None or part != _part(claim, done):
                return None
            del self._kept[claim.id]
            return result

    def drop(self, job_id: UUID) -> None:
        """Keep nothing of this job."""
        with self._lock:
            self._kept.pop(job_id, None)


def _part(claim: ClaimedJob, done: int) -> object:
    return claim.requeues, claim.attempts, claim.remote_id, done


def _size_bytes(result: Result) -> int:
    return sum(map(len, (*result.images, *result.frames)))
