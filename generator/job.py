"""One job of the queue: its state, its outcome and the calls that wait for it."""

import enum
from concurrent.futures import Future
from dataclasses import dataclass, field

from generator.previews import Preview
from generator.work import Results, Work


class JobState(enum.Enum):
    """The state of a job; the values are the protocol's words."""

    WAITING = "waiting"
    PROCESSING = "processing"
    FINISHED = "finished"
    ERROR = "error"


class FailureReason(enum.Enum):
    """Why a job ended as error; the value is the message for the client."""

    CANCELLED = "the job was cancelled"
    TOO_LONG = "the job took too long"
    ENGINE = "the engine failed"
    CLOSED = "the service is stopping"


@dataclass(eq=False)
class Job:
    """A job and its present state; guarded by the queue's lock."""

    id: int
    key: str | None
    digest: bytes
    work: Work | None
    size_bytes: int
    outcome: Future[Results] | None = None
    state: JobState = JobState.WAITING
    progress: float = 0.0
    began: float = 0.0
    took_s: float = 0.0
    results: Results | None = None
    reason: FailureReason | None = None
    failure: str | None = None
    """More than the reason says, for the client."""

    shown_at: float = 0.0
    watchers: dict[Future[None], str] = field(default_factory=dict)
    preview: Preview = field(default_factory=Preview)

    @property
    def has_ended(self) -> bool:
        """Return whether the job has finished or failed."""
        return self.state not in (JobState.WAITING, JobState.PROCESSING)

    def status(self, position: int) -> str:
        """Return the status in the protocol's words; `position` counts while the job waits."""
        if self.state is JobState.WAITING:
            return f"queue position: {position}"
        if self.state is JobState.PROCESSING:
            return f"processing: {int(self.progress * 100)}%"
        return str(self.state.value)

    def notify(self, position: int = 0) -> None:
        """Complete the watchers that came when the status was another one; the caller holds the queue's lock."""
        if not self.watchers:
            return
        status = self.status(position)
        changed = [watcher for watcher, known in self.watchers.items() if known != status]
        for watcher in changed:
            del self.watchers[watcher]
            if watcher.set_running_or_notify_cancel():
                watcher.set_result(None)
