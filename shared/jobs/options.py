"""The options of a submit: presets and fields, each with whether this site's generators support it."""

from dataclasses import asdict
from typing import Any, TypeAlias

from pydantic import ValidationError

from shared.accounts.passkey_answers import find_domain
from shared.api import presets
from shared.api.request_fields import request_fields
from shared.api.schemas import JobRequest
from shared.jobs.resolution import find_defaults, is_supported, new_job, trains_likenesses
from shared.services import Services

Option: TypeAlias = dict[str, Any]
"""A JSON object."""

CHOICES = {
    "types": ("type", presets.TYPES),
    "styles": ("style", presets.STYLES),
    "qualities": ("quality", presets.QUALITIES),
    "aspects": ("aspect", presets.ASPECTS),
}

USES: dict[str, Option] = {
    "upscale": {"upscale": 2},
    "source_images": {"source_images": ["any"]},
    "from_job": {"from_job": "0" * 32},
    "from_image": {"from_image": "0" * 32},
    "strength": {"source_images": ["any"], "strength": 0.5},
    "describe": {"describe": True},
    "pixel_art": {"type": "pixel_art"},
    "description": {"describe": True, "description": {"skip_clip": True}},
    "timelapse": {"timelapse": True},
    "likeness": {"likeness": "00000000"},
    "notify": {"notify": "email"},
}
"""For each field a request that uses it. Every site supports the fields that are not listed."""


def list_options(services: Services) -> Option:
    """Return types, styles, qualities, aspects and fields with their values, and what the generators are.

    Steps and scale of a quality are null where the generators' own differ.

    `offered` is false where this site refuses a submit that uses the option. A process that knows of no generators
    offers everything that any protocol supports.
    """
    own = find_defaults(services)
    choices_of = CHOICES | {
        "qualities": ("quality", presets.qualities(own)),
        "aspects": ("aspect", presets.aspects(own)),
    }

    def offered(use: Option) -> Option:
        return {"offered": _is_offered(services, own, use)}

    options = {
        name: [choice.public() | offered({field: choice.key}) for choice in choices.values()]
        for name, (field, choices) in choices_of.items()
    }
    fields = [field | offered(USES.get(field["name"], {})) for field in request_fields()]
    models = {model: asdict(model) for model in services.models.find() if model is not None}
    settings = services.settings
    site = {
        "trains_likenesses": trains_likenesses(services),
        "confirms_addresses": settings.confirms_addresses,
        "sign_in": {
            "local": settings.has_local_accounts,
            "provider": settings.oidc_name or None,
            "passkeys": find_domain(settings) if settings.has_local_accounts else None,
        },
    }
    return {**options, "fields": fields, "models": list(models.values()), **site}


def _is_offered(services: Services, own: presets.Defaults, use: Option) -> bool:
    try:
        request = JobRequest.model_validate({"prompt": "a lighthouse", **use})
    except ValidationError:
        return False
    return is_supported(services, new_job(request, None, b"", services.addresses, own))
