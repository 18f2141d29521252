"""The fields of a submit as GET /v1/presets lists them."""

from typing import Any

from shared.api.schemas import JobRequest

_CONSTRAINT_NAMES = {
    "minimum": "minimum",
    "maximum": "maximum",
    "enum": "enum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "maxItems": "max_items",
    "multipleOf": "multiple_of",
}


def request_fields() -> list[dict[str, Any]]:
    """Return every field of a submit with its type, range and default, as JobRequest declares them.

    A field that is an object has the ranges of its numbers.
    """
    schema = JobRequest.model_json_schema()
    required = {"prompt"}
    without = JobRequest.model_validate({"prompt": "a"})
    fields = []
    for name, spec in schema["properties"].items():
        known = _known(spec)
        field = {"name": name, "type": known.get("type", "object"), "required": name in required, **_constraints(known)}
        if name == "prompt":
            field["min_length"] = 1
        if "$ref" in known:
            parts = schema["$defs"][known["$ref"].rpartition("/")[2]]["properties"]
            ranges = {part: _constraints(_known(spec)) for part, spec in parts.items()}
            field["ranges"] = {part: found for part, found in ranges.items() if "maximum" in found}
        default = getattr(without, name) if name not in required else ""
        field["default"] = default if name != "description" else {}
        fields.append(field)
    return fields


def _known(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field's values other than null."""
    return next((option for option in spec.get("anyOf", ()) if option.get("type") != "null"), spec)


def _constraints(known: dict[str, Any]) -> dict[str, Any]:
    return {public: known[name] for name, public in _CONSTRAINT_NAMES.items() if name in known}
