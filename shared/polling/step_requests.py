"""The request that a step sends: with its start pictures, the adapters of its likenesses, and its model's values."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.api.presets import GENERAL, Defaults
from shared.clients.storage import ObjectMissing
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.generators.adapters import Adapter
from shared.generators.base import GenerationRequest, GeneratorLoading, GeneratorUnavailable
from shared.images import codec
from shared.jobs.requests import defaults_of, generation_request
from shared.polling.claims import ClaimedJob, ClaimedSource
from shared.scenes import pictures as scene_pictures

if TYPE_CHECKING:
    from shared.polling.steps import Step


def build_request(step: "Step") -> GenerationRequest:
    """Build the request with its start pictures, and the model's values where the job names none.

    Raises:
        PictureError, ObjectMissing, ObjectTooLarge, Unavailable: There is something wrong with a start picture.
        TakesLong: A start picture is decoded elsewhere.
        GeneratorUnavailable: It cannot be asked for its model, or loads it.
    """
    claim = step.claim
    if (claim.settings.get("from_job") or claim.settings.get("source_images")) and not claim.sources:
        raise ObjectMissing(f"the picture that {claim.id} starts from was deleted")
    own = not claim.settings.get("source_images")  # another job's picture
    sources = tuple(_source_png(step, source, own=own) for source in claim.sources)
    return generation_request(
        calling_prompt(claim),
        claim.settings,
        source_images=sources,
        scene=scene_pictures.of_job(step.storage, claim.settings),
        key=request_key(claim),
        own=_own_values(step),
        adapters=[Adapter(likeness.sha256, likeness.weight) for likeness in claim.likenesses],
    )


def _source_png(step: "Step", source: ClaimedSource, *, own: bool) -> bytes:
    data = read_source(step, source)
    if own or step.slow_pictures is None:
        return codec.source_png(data, own=own)
    return step.slow_pictures.png(step.claim, source, data)


def read_sources(step: "Step") -> Iterator[bytes]:
    """Yield the files of the start pictures, one at a time, as they were when they were checked.

    Raises:
        ObjectMissing, ObjectTooLarge, Unavailable: One cannot be read, or its form was sent again since.
    """
    return (read_source(step, source) for source in step.claim.sources)


def read_source(step: "Step", source: ClaimedSource) -> bytes:
    """Return the file of one start picture, as `read_sources` does."""
    return step.storage.get(source.key, MAX_UPLOAD_BYTES, etag=source.etag)


def calling_prompt(claim: ClaimedJob) -> str:
    """Return the prompt, behind the triggers of those likenesses that it does not call itself."""
    triggers = (likeness.trigger for likeness in claim.likenesses)
    missing = [trigger for trigger in triggers if trigger and trigger not in claim.prompt]
    return ", ".join([*dict.fromkeys(missing), claim.prompt])


def request_key(claim: ClaimedJob) -> str:
    """Return the key by which the generator recognises this attempt.

    A job that an operator put back counts its attempts from 0 again, and must not get the result of an earlier one.
    """
    life = f"{claim.id}.{claim.requeues}" if claim.requeues else str(claim.id)
    return f"{life}:{claim.attempts}"


def _own_values(step: "Step") -> Defaults:
    """Return the values of the generator's model, where the job leaves steps or scale to it.

    The generator is asked now: this process may never have asked it, or another model may have been loaded since.

    Raises:
        GeneratorUnavailable: It does not answer, or loads its model.
    """
    settings = step.claim.settings
    if step.protocol != "img_generator" or None not in (settings["steps"], settings["scale"]):
        return GENERAL
    try:
        reported = step.generator.health()
    except GeneratorUnavailable as error:
        # The request itself was not sent.
        raise GeneratorUnavailable("generator_unreachable", error.message) from error
    if reported.loading_s is not None:
        raise GeneratorLoading(reported.loading_s)
    return defaults_of(reported.model)
