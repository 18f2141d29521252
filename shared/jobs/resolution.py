"""From a request to a job with every setting resolved, and the refusal of what this site cannot make."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from shared.accounts.webhook_urls import find_webhook_refusal
from shared.api.presets import GENERAL, Defaults, resolve, shared_defaults
from shared.api.schemas import JobRequest
from shared.core.errors import NO_MAIL, FieldError, InvalidRequest
from shared.generators.abilities import nearest_limits, protocols_of, supported_protocols
from shared.generators.addresses import GeneratorAddress
from shared.generators.scenes import EMPTY_SCENE
from shared.jobs import states
from shared.jobs.records import NewJob
from shared.jobs.requests import defaults_of, generation_request
from shared.services import Services


def new_job(
    request: JobRequest,
    idempotency_key: str | None,
    fingerprint: bytes,
    addresses: Sequence[GeneratorAddress] = (),
    own: Defaults = GENERAL,
    held_by: UUID | int | None = None,
) -> NewJob:
    """Fill in every setting of a request, and find the protocols that support it.

    addresses: the generators, as far as this process knows them; own: their defaults; held_by: see `NewJob`.
    """
    settings = resolve(request.model_dump(), seed=secrets.randbelow(2**32), own=own)
    source_keys = tuple(settings["source_images"])
    from_another = held_by is not None or settings["from_job"] is not None or settings["from_image"] is not None
    sources = len(source_keys) or int(from_another)
    scene = EMPTY_SCENE if settings.get("scene") else None
    outline = generation_request(request.prompt, settings, source_images=(b"",) * sources, scene=scene)
    return NewJob(
        prompt=request.prompt,
        settings=settings,
        cost=states.cost(outline.n, outline.width, outline.height, outline.steps, outline.upscale),
        outline=outline,
        protocols=supported_protocols(outline, addresses),
        source_keys=source_keys,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        held_by=held_by,
    )


def find_defaults(services: Services) -> Defaults:
    """Return the defaults for requests to this site: those of its generators' models, as far as they agree."""
    return shared_defaults([defaults_of(model) for model in services.models.find()])


def is_supported(services: Services, job: NewJob) -> bool:
    """Return whether this site can make the job and send its notification, as far as this process knows.

    A process that knows of no generators supports every job; the job's timeline then says why it waits.
    """
    if job.settings["notify"] == "email" and not services.sends_mail:
        return False
    if job.outline.frames and not services.models.may_make_frames():
        return False
    if job.outline.adapters and not _may_adapt(services, job):
        return False
    if job.outline.scene and not services.models.may_make_scenes():
        return False
    if find_webhook_refusal(services.settings, job.settings["webhook_url"] or ""):
        return False
    return not services.protocols or not services.protocols.isdisjoint(protocols_of(job.protocols))


def trains_likenesses(services: Services) -> bool:
    """Return whether a generator of this site trains, or may, as long as none was asked."""
    return _may_extend(services) and services.models.may_train()


def makes_scenes(services: Services, *, adapted: bool = False) -> bool:
    """Return whether a generator of this site paints persons into places, or may, as long as none was asked.

    With `adapted` it takes the adapters of likenesses there.
    """
    return _may_extend(services) and services.models.may_make_scenes(adapted=adapted)


def _may_adapt(services: Services, job: NewJob) -> bool:
    """Return whether a generator takes adapters, or may: for a scene one that makes scenes, if any does."""
    models = services.models
    if job.outline.scene and models.may_make_scenes():
        return models.may_make_scenes(adapted=True)
    return models.may_take_adapters()


def _may_extend(services: Services) -> bool:
    """Return whether this site has a generator of the protocol with extensions, as far as this process knows."""
    return not services.protocols or "img_generator" in services.protocols


def find_notification_refusal(services: Services, request: JobRequest) -> InvalidRequest | None:
    """Return the error for a message about a job that this site does not send."""
    if request.notify == "email" and not services.sends_mail:
        return InvalidRequest(fields=(NO_MAIL,))
    no_webhook = find_webhook_refusal(services.settings, request.webhook_url or "")
    return None if no_webhook is None else InvalidRequest(fields=(no_webhook,))


def find_refusal(services: Services, request: JobRequest, job: NewJob) -> InvalidRequest | None:
    """Return the error for a job that this site does not support, with every field at fault."""
    if is_supported(services, job):
        return None
    if no_message := find_notification_refusal(services, request):
        return no_message
    wrong: dict[str, FieldError] = {}
    if job.outline.frames and not services.models.may_make_frames():
        wrong["timelapse"] = FieldError("timelapse", "must be false, for the generators of this site", "not_offered")
    if job.outline.adapters and not _may_adapt(services, job):
        wrong["likeness"] = FieldError("likeness", "must be left out, for the generators of this site", "not_offered")
    if job.outline.scene and not services.models.may_make_scenes():
        wrong["place"] = FieldError("place", "cannot be used: no generator of this site makes scenes", "not_offered")
    for limit in nearest_limits(services.addresses, job.outline):
        by_preset = limit.preset is not None and getattr(request, limit.field) is None
        field, instead = (limit.preset, limit.preset_instead) if by_preset else (limit.field, limit.instead)
        message = f"{instead}, for the generators of this site"
        wrong.setdefault(str(field), FieldError(str(field), message, "not_offered"))
    return InvalidRequest("No generator of this site can make this; see 'errors'.", fields=tuple(wrong.values()))
