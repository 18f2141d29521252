"""The field `style` of a request: the key of a style, or a list of keys."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.api import presets

MAX_PICTURES = 8


def _known_styles(given: object) -> object:
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(key, str) for key in listed):
        raise PydanticCustomError("wrong_type", "should be the key of a style, or a list of keys")
    if not listed:
        raise PydanticCustomError("too_short", "must name at least one style", {"min_length": 1})
    if len(listed) > MAX_PICTURES:
        raise PydanticCustomError("too_many", f"must name at most {MAX_PICTURES} styles", {"max_length": MAX_PICTURES})
    if not all(key in presets.STYLES for key in listed):
        raise PydanticCustomError("not_a_choice", "is not a style; GET /v1/presets lists the styles")
    return given


_STYLE_SCHEMA: dict[str, Any] = {"type": "string", "enum": list(presets.STYLES)}
Style = Annotated[
    str | list[str],
    PlainValidator(_known_styles),
    WithJsonSchema(
        {"anyOf": [_STYLE_SCHEMA, {"type": "array", "items": _STYLE_SCHEMA, "minItems": 1, "maxItems": MAX_PICTURES}]}
    ),
    Field(description="The key of a style, or a list of keys: one picture in each."),
]
