"""A photo in several styles: a job that describes it, and one for each style that starts from it."""

import re
import secrets
from uuid import UUID

from shared.accounts.auth import Credential
from shared.api.batches import StylizationRequest
from shared.api.schemas import JobRequest
from shared.core.errors import FieldError, InvalidRequest, Refusal
from shared.jobs import groups
from shared.jobs.groups import Plan
from shared.services import Services

_FIRST_JOB = str(UUID(int=0))
"""In place of the id of the job that describes the photo, which the database makes."""

_FIELDS = {"source_images": "source_image", "style": "styles"}
_NO_DESCRIPTION = FieldError("prompt", "is required: no generator of this site describes photos", "required")


def plan(
    services: Services, credential: Credential, wanted: StylizationRequest, key: str | None, fingerprint: bytes
) -> Plan:
    """Return the jobs of a stylization.

    Raises:
        InvalidRequest: the photo cannot be used.
    """
    common: dict[str, object] = {
        "strength": wanted.strength,
        "quality": wanted.quality,
        "aspect": wanted.aspect,
        "seed": secrets.randbelow(2**32),  # only the style makes a difference
    }
    photo: dict[str, object] = {"source_images": [wanted.source_image]}
    prompt = wanted.prompt.strip().strip("|").strip()
    from_photo = photo | {"prompt": prompt} if prompt else {"from_job": _FIRST_JOB}
    styled = [JobRequest.model_validate(common | from_photo | {"style": style}) for style in wanted.styles]
    # It makes no picture, so the group's mail neither counts it nor has the photo inside.
    described = JobRequest.model_validate(photo | {"strength": -2, "describe": True, "notify": "none"})
    requests, followers = (styled, []) if prompt else ([described], styled)
    try:
        planned = groups.plan(services, credential, requests, key, fingerprint, followers=followers)
    except InvalidRequest as error:
        raise _of_stylization(error, describes=not prompt) from None
    return Plan(planned.jobs, planned.refusal and _of_stylization(planned.refusal, describes=not prompt))


def _of_stylization(refusal: Refusal, *, describes: bool) -> Refusal:
    """Return the refusal with the fields of a stylization, each once. describes: the first job describes the photo."""
    faults: dict[str, FieldError] = {}
    for fault in refusal.fields:
        name = re.sub(r"^requests\.\d+\.|\.\d+$", "", fault.field)
        if describes and fault.field.startswith("requests.0.") and name != "source_images":
            faults.setdefault("prompt", _NO_DESCRIPTION)
        else:
            field = _FIELDS.get(name, name)
            faults.setdefault(field, FieldError(field, fault.message, fault.code, fault.limit))
    return type(refusal)(refusal.detail, fields=tuple(faults.values()))
