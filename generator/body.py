"""Request bodies: JSON or form fields, bounded while they are read."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import UploadFile
from starlette.types import Message

from generator.order import MAX_BODY_BYTES, ParameterError

T = TypeVar("T", bound=BaseModel)

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class BodyTooLarge(Exception):
    """The body passes the limit."""


class BadBody(Exception):
    """The body is neither a JSON object nor a form."""


class JobRef(BaseModel):
    """What the calls about one job take."""

    model_config = ConfigDict(extra="forbid")

    id: int


@dataclass(frozen=True)
class Body:
    """A body before its fields are checked: JSON as bytes, or a form's fields."""

    raw: bytes
    form: dict[str, list[str]] | None = None

    def parse(self, model: type[T]) -> T:
        """The fields as that model. Raises BadBody, pydantic's ValidationError and what the model raises."""
        if self.form is not None:
            return model.model_validate(
                {name: values[0] if len(values) == 1 else values for name, values in self.form.items()}
            )
        fields = _json_object(self.raw)
        if model is JobRef and isinstance(fields.get("id"), str):
            return model.model_validate(fields)
        return model.model_validate(fields, strict=True)


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    if not isinstance(fields, dict):
        raise BadBody
    return fields


async def read_body(request: Request) -> Body:
    """The body of a request, read whole. Raises BodyTooLarge at the first byte too many, and BadBody."""
    bounded = Request(request.scope, _bounded(request.receive))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in FORM_TYPES:
        return Body(await bounded.body())
    form: dict[str, list[str]] = {}
    async with bounded.form(max_files=0, max_fields=100, max_part_size=MAX_BODY_BYTES) as fields:
        for name, value in fields.multi_items():
            if isinstance(value, UploadFile):
                raise BadBody
            form.setdefault(name, []).append(value)
    return Body(b"", form)


def _bounded(receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise BodyTooLarge
        return message

    return counted


def parameter_errors(error: ValidationError | ParameterError) -> list[dict[str, str]]:
    """Each wrong parameter by name, with what is wrong about it."""
    if isinstance(error, ParameterError):
        return [{"parameter": error.parameter, "message": f"{error.parameter} {error.message}"}]
    return [
        {"parameter": str(fault["loc"][0]), "message": f"{fault['loc'][0]}: {fault['msg']}"}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
