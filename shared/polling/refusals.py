"""What becomes of a job whose generator does not accept it, although it is well, or that is not ready to be sent.

The job alone pauses, longer with each refusal, and is offered to other generators first. It ends with the last reason.
"""

from shared.generators.base import GeneratorUnavailable
from shared.jobs.reasons import Reason
from shared.jobs.states import Event
from shared.polling.claims import ClaimedJob
from shared.polling.outcomes import Failed, Retried

MAX_REFUSALS = 8
"""How often a job may be refused for a reason that does not pass by waiting: about 18 minutes with the pauses."""

MAX_BUSY_REFUSALS = 100
BUSY_S = 8 * 3600.0
"""How often, and for how long, a job may be refused because its generators are full."""

LONGEST_PAUSE_S = 300.0
LASTING_PAUSE_S = 5.0
"""The first pause after a refusal that does not pass by waiting; each further one is three times as long."""

_LASTING = frozenset({"generator_redirected", "generator_misconfigured"})


def pause(claim: ClaimedJob, reason: Reason) -> Retried | Failed:
    """Put a job back because something that it needs is not ready, or give it up after as many pauses."""
    count = claim.refusals + 1
    if count >= MAX_BUSY_REFUSALS:
        return Failed(reason)
    return Retried(reason, Event.WAITING, refused_pause_s=min(count, LONGEST_PAUSE_S))


def decide(claim: ClaimedJob, error: GeneratorUnavailable, *, counted: int) -> Retried | Failed:
    """Put the job back for a pause, or give it up. counted: attempts that were counted for this send already."""
    count = claim.refusals + 1
    lasting = error.code in _LASTING
    most = MAX_REFUSALS if lasting else MAX_BUSY_REFUSALS
    if count >= most or (claim.refused_s or 0) > BUSY_S:
        return Failed(Reason(error.code, f"Given up after {count} refusals. {error.message}"), -counted)
    pause_s = max(
        LASTING_PAUSE_S * 3.0 ** min(count - 1, 9) if lasting else 2.0 ** min(count, 9), error.retry_after_s or 0
    )
    return Retried(
        Reason(error.code, error.message), Event.WAITING, -counted, refused_pause_s=min(pause_s, LONGEST_PAUSE_S)
    )
