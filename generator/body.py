"""Request bodies: JSON or form fields, bounded while they are read."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from generator.order import MAX_BODY_BYTES

T = TypeVar("T", bound=BaseModel)

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

MAX_VALUES = 100_000
"""Most lists, objects and members in a body. Three bytes of `[],` grow into some twenty times as much memory."""


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
    if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise BadBody
    try:
        fields = json.loads(raw or b"{}")
        if not isinstance(fields, dict):
            raise BadBody
        # JSON can spell halves of characters, which no model takes as a name.
        "".join(fields).encode()
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    return fields


async def read_body(request: Request) -> Body:
    """The body of a request, read whole. Raises BodyTooLarge at the first byte too many, and BadBody."""
    bounded = Request(request.scope, _bounded(request.receive))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in FORM_TYPES:
        return Body(await bounded.body())
    form: dict[str, list[str]] = {}
    try:
        async with bounded.form(max_files=0, max_fields=100, max_part_size=MAX_BODY_BYTES) as fields:
            for name, value in fields.multi_items():
                if isinstance(value, UploadFile):
                    raise BadBody
                form.setdefault(name, []).append(value)
    except HTTPException as error:
        raise BadBody from error
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
