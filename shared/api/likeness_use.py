"""The fields `likeness` and `likeness_weight` of a request for pictures."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.core.words import composed

MOST_LIKENESSES = 3
"""How many a picture may have."""

MOST_CODE_CHARACTERS = 20
"""A code has eight digits, with or without blanks between them; another text is a code that nobody has."""

MIN_WEIGHT, MAX_WEIGHT = 0.0, 2.0


def _uses(given: object) -> list[dict[str, Any]]:
    listed = given if isinstance(given, list) else [given]
    if len(listed) > MOST_LIKENESSES:
        message = f"must name at most {MOST_LIKENESSES} codes"
        raise PydanticCustomError("too_many", message, {"max_length": MOST_LIKENESSES})
    return list({use["code"]: use for use in map(_use, listed)}.values())


def _use(given: object) -> dict[str, Any]:
    use = {"code": given} if isinstance(given, str) else given
    if not isinstance(use, dict) or not isinstance(use.get("code"), str) or use.keys() - {"code", "weight"}:
        raise PydanticCustomError(
            "wrong_type", "should be a code, or a list of codes or of objects with code and weight"
        )
    code, weight = composed("".join(use["code"].split())), use.get("weight")  # shown in groups
    if len(code) > MOST_CODE_CHARACTERS or not code.isprintable() or not code.isascii():
        raise PydanticCustomError("invalid", "is not a code of eight digits")
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float)):
        raise PydanticCustomError("wrong_type", "has a weight that is not a number")
    if weight is not None and not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise PydanticCustomError("invalid", f"has a weight that is not from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}")
    return {"code": code, "weight": None if weight is None else float(weight)}


_CODE: dict[str, Any] = {"type": "string", "maxLength": MOST_CODE_CHARACTERS, "examples": ["12345678"]}
_WEIGHT: dict[str, Any] = {"type": "number", "minimum": MIN_WEIGHT, "maximum": MAX_WEIGHT}
_USE: dict[str, Any] = {"type": "object", "properties": {"code": _CODE, "weight": _WEIGHT}, "required": ["code"]}
Likeness = Annotated[
    list[dict[str, Any]],
    PlainValidator(_uses),
    WithJsonSchema(
        {"anyOf": [_CODE, {"type": "array", "items": {"anyOf": [_CODE, _USE]}, "maxItems": MOST_LIKENESSES}]}
    ),
    Field(description="The code of a likeness, or up to three; one that does not work leaves the picture without it."),
]
LikenessWeight = Annotated[
    float,
    Field(ge=MIN_WEIGHT, le=MAX_WEIGHT, description="How much likenesses count that name no weight themselves."),
]
