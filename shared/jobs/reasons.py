"""Why a job waits, begins again or fails: a stable code for programs with a sentence for people.

docs/reasons.md lists every code that a timeline or a job's `error` can hold: these, those of the generators' clients
and those of pictures. A test compares the list with the code.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """What the timeline tells beside an event. `code` never changes; `message` is one or more English sentences."""

    code: str
    message: str


WORKER_STOPPED = Reason("worker_stopped", "Its worker was told to stop; another one begins this picture again.")
WORKER_DIED = Reason("worker_died", "Its worker died; another one took over.")
GENERATOR_REMOVED = Reason("generator_removed", "Its generator was taken out of service.")
GENERATOR_FAILED = Reason("generator_failed", "The generator reported an error for this job.")
GENERATOR_TOO_SLOW = Reason("generator_too_slow", "The generator did not finish within two hours.")
NO_GENERATOR = Reason("no_generator", "No generator is configured.")
NO_ABLE_GENERATOR = Reason("no_able_generator", "No generator that is configured now can make this picture.")
BY_OPERATOR = Reason("by_operator", "The operators of this site did this.")
ACCOUNT_DISABLED = Reason("account_disabled", "The operators of this site have disabled this account.")
SOURCE_MISSING = Reason("source_missing", "A start picture is no longer in the storage. Upload it again.")
