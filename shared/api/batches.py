"""The schemas of groups of jobs: requests that are submitted in one call, and the answers about them."""

import math
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Text
from shared.api.schemas import (
    Answer,
    Aspect,
    Id,
    JobRequest,
    JobSummary,
    Quality,
    Request,
    Time,
    UploadKey,
    write_defaults_as_words,
)
from shared.api.styles import Style

MAX_JOBS = 200
"""The jobs of a group."""

MAX_STYLES = 48
"""The styles of a stylization, which with the description makes no more jobs than may wait by default."""

_ALTERNATIVES: dict[str, Any] = {
    "request": {
        "description": "Instead of `requests`: what all jobs have in common.",
        "type": "object",
        "additionalProperties": True,
    },
    "variants": {
        "description": "With `request`: for each of these fields of a job its values. Every combination is a job.",
        "type": "object",
        "additionalProperties": {"type": "array", "minItems": 1, "items": {}},
        "examples": [{"style": ["oil", "ink"], "seed": [1, 2, 3]}],
    },
}


def _add_alternatives(schema: dict[str, Any]) -> None:
    schema["properties"] |= _ALTERNATIVES
    schema.pop("required", None)
    write_defaults_as_words(schema)


class BatchRequest(Request):
    """Up to 200 jobs: each with its request, or one `request` with `variants`."""

    model_config = ConfigDict(json_schema_extra=_add_alternatives)

    requests: list[JobRequest] = Field(min_length=1, max_length=MAX_JOBS)
    dry_run: bool = Field(False, description="Check, count and price the jobs, and submit none.")

    @model_validator(mode="before")
    @classmethod
    def _combine(cls, given: object) -> object:
        """Write `request` and `variants` as `requests`, once it is known how many these are."""
        if not isinstance(given, dict) or (given.get("request") is None and given.get("variants") is None):
            return given
        if given.get("requests") is not None:
            raise PydanticCustomError("invalid", "requests: leave it out, or request and variants")
        common, variants = given.get("request") or {}, given.get("variants") or {}
        if not isinstance(common, dict):
            raise PydanticCustomError("wrong_type", "request: should be a JSON object")
        _check_variants(variants)
        rest = {name: value for name, value in given.items() if name not in _ALTERNATIVES}
        combined = product(*variants.values())
        return rest | {"requests": [common | dict(zip(variants, values, strict=True)) for values in combined]}


def _check_variants(variants: object) -> None:
    """Refuse variants without combining them. Raises PydanticCustomError."""
    if not isinstance(variants, dict) or not all(isinstance(values, list) for values in variants.values()):
        raise PydanticCustomError("wrong_type", "variants: should name a list of values for each field")
    for name, values in variants.items():
        if name not in JobRequest.model_fields:
            raise PydanticCustomError("unknown_field", "variants: names what is not a field of a job")
        if not values:
            raise PydanticCustomError("too_short", "variants.{name}: needs a value", {"name": name, "min_length": 1})
    count = math.prod(map(len, variants.values()))
    if count > MAX_JOBS:
        message = "variants: makes {count} jobs; at most {max_length} are possible"
        raise PydanticCustomError("too_many", message, {"count": str(count), "max_length": MAX_JOBS})


class StylizationRequest(Request):
    """A photo, and the styles in which it is made again."""

    source_image: UploadKey
    styles: list[Style] = Field(min_length=1, max_length=MAX_STYLES)
    strength: Annotated[float, Field(ge=0, le=1, description="How far the pictures go from the photo.")] = 0.75
    prompt: Annotated[Text, StringConstraints(max_length=2000)] = Field(
        "", description="What the photo shows. Without it a job of the group describes the photo first."
    )
    quality: Quality = "normal"
    aspect: Aspect = "square"


class CountsView(Answer):
    """How many jobs of a group are in each state."""

    queued: int
    generating: int
    succeeded: int
    failed: int
    cancelled: int


class GroupLinks(Answer):
    """Where the group is."""

    self: str


class BatchView(Answer):
    """A group of jobs."""

    id: Id
    state: Literal["queued", "generating", "finished"]
    progress: float = Field(description="0..1, the mean of the jobs; one that has ended counts as 1.")
    count: int
    counts: CountsView
    cost: float = Field(description="The work of all jobs, in megapixel-steps.")
    created_at: Time
    jobs: list[JobSummary] = Field(description="In the order of the requests, without those that were deleted.")
    links: GroupLinks


class QuoteView(Answer):
    """What a group would be."""

    count: int
    cost: float = Field(description="The work of all jobs, in megapixel-steps.")
    left_today: int = Field(description="How many jobs the quota still allows today.")
    left_in_queue: int = Field(description="How many more of your jobs may wait at once.")
