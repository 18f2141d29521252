"""What a submit may ask for: the presets and the fields, each with whether this site can do it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shared.api import presets
from shared.api.schemas import JobRequest, request_fields
from shared.jobs.submission import can_be_made, new_job
from shared.services import Services

CHOICES = {
    "types": ("type", presets.TYPES),
    "styles": ("style", presets.STYLES),
    "qualities": ("quality", presets.QUALITIES),
    "aspects": ("aspect", presets.ASPECTS),
}

USES: dict[str, dict[str, Any]] = {
    "upscale": {"upscale": 2},
    "source_images": {"source_images": ["any"]},
    "strength": {"source_images": ["any"], "strength": 0.5},
    "describe": {"describe": True},
    "description": {"describe": True, "description": {"skip_clip": True}},
    "timelapse": {"timelapse": True},
    "notify": {"notify": "email"},
}
"""A request that makes use of a field. One that is not named here says nothing that a site could not do."""


def list_offers(services: Services) -> dict[str, list[dict[str, Any]]]:
    """Types, styles, qualities, aspects and fields with their values. `offered` is false where a submit that makes use
    of it is refused on this site; a process that knows of no generators offers whatever any protocol can make."""
    offers = {
        name: [choice.public() | {"offered": _is_offered(services, {field: choice.key})} for choice in choices.values()]
        for name, (field, choices) in CHOICES.items()
    }
    fields = [field | {"offered": _is_offered(services, USES.get(field["name"], {}))} for field in request_fields()]
    return offers | {"fields": fields}


def _is_offered(services: Services, use: Mapping[str, Any]) -> bool:
    try:
        request = JobRequest.model_validate({"prompt": "a lighthouse", **use})
    except ValidationError:
        return False
    return can_be_made(services, new_job(request, None, b""))
