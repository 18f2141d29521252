"""Likenesses in the pictures of a job: their adapters go to the generator, and the timeline says which are missing."""

from typing import TYPE_CHECKING

from shared.generators.base import GenerationRequest
from shared.generators.training import AdaptersMissing, trainer_of
from shared.jobs.reasons import Reason
from shared.polling.claims import ClaimedJob

if TYPE_CHECKING:
    from shared.polling.steps import Step


MOST_BYTES = 300 * 1024 * 1024
"""The largest adapter that a generator takes."""


def start(step: "Step", request: GenerationRequest) -> str:
    """Send the request; return the generator's id for it. Adapters that the generator lacks are sent before, once.

    Raises:
        GeneratorError: The generator does not accept it.
        ObjectMissing, ObjectTooLarge, Unavailable: An adapter cannot be read.
    """
    try:
        return step.generator.start(request)
    except AdaptersMissing as error:
        trainer = trainer_of(step.generator)
        if trainer is None:
            raise
        for likeness in step.claim.likenesses:
            if likeness.sha256 in error.missing:
                with step.memory.room(step.max_adapter_bytes // 3):
                    trainer.send_adapter(likeness.sha256, step.storage.get(likeness.key, MOST_BYTES))
    return step.generator.start(request)


def find_lost(claim: ClaimedJob) -> Reason | None:
    """Return why the pictures are made without some of the likenesses that the job names; None if all of them work."""
    count = len(claim.settings.get("likeness") or ())
    if len(claim.likenesses) == count:
        return None
    if count == 1:
        return Reason("likeness_unknown", "No likeness with this code works for you; the picture is made without it.")
    working = {likeness.place for likeness in claim.likenesses}
    lost = ", ".join(str(place) for place in range(1, count + 1) if place not in working)
    message = f"No likeness with the code in place {lost} works for you; the picture is made without it."
    return Reason("likeness_unknown", message)
