"""What the model of `test_model.py` expects of jobs and users."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.accounts.auth import Credential
from shared.jobs.states import State
from shared.polling.claims import ClaimedJob


@dataclass
class Job:
    """What is expected of a job. `claim` is the one that holds it; `dead`: its lease has run out."""

    user: int
    pictures: int
    state: State = State.QUEUED
    claim: ClaimedJob | None = None
    dead: bool = False
    cancelling: bool = False
    sent: bool = False
    attempts: int = 0
    crashes: int = 0
    progress: float = 0.0
    today: bool = True

    def leave(self, to: State) -> None:
        """Leave the generator, or the queue."""
        self.state, self.claim, self.dead, self.sent = to, None, False, False


@dataclass
class User:
    """A user's credential, what their keys have made, and how many units of today are used and worked off."""

    id: UUID
    credential: Credential
    keys: dict[str, UUID] = field(default_factory=dict)
    deleted_units: int = 0
    deleted_work: float = 0.0
