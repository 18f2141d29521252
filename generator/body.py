"""Request bodies: JSON or form fields, bounded while they are read."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from generator.request import MAX_BODY_BYTES, words_for_defaults

T = TypeVar("T", bound=BaseModel)

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

MAX_WAIT_S = 20

MAX_VALUES = 100_000
"""Most lists, objects and members in a body. Parsed, the three bytes `[],` take about twenty times as much memory."""


class BodyTooLarge(Exception):
    """The body exceeds the limit."""


class BadBody(Exception):
    """The body is neither a JSON object nor a form."""


def _number(value: object) -> object:
    """Return the number that a text holds: published clients send the id as text."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        return value


class JobRef(BaseModel):
    """The body of the calls about one job."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=words_for_defaults)

    id: Annotated[int, BeforeValidator(_number)]


class StatusQuery(JobRef):
    """The body of `/check_status`.

    `wait_s`: the longest that the response may wait for a change. `preview`: respond with a preview, if there is one.
    """

    wait_s: Annotated[float, Field(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = 0
    preview: bool = False


@dataclass(frozen=True)
class Body:
    """A body whose fields are not checked yet: JSON as bytes, or the fields of a form."""

    raw: bytes
    form: dict[str, list[str]] | None = None

    def parse(self, model: type[T]) -> T:
        """Parse the fields into that model.

        Raises:
            BadBody: The body is no JSON object.
            ValidationError: A field is wrong.
            ParameterError: A field is wrong beside others; raised by the model.
        """
        if self.form is not None:
            return model.model_validate(
                {name: values[0] if len(values) == 1 else values for name, values in self.form.items()}
            )
        fields = _json_object(self.raw)
        return model.model_validate(fields, strict=True)


def _json_object(raw: bytes) -> dict[str, object]:
    if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise BadBody
    try:
        fields = json.loads(raw or b"{}")
        if not isinstance(fields, dict):
            raise BadBody
        # JSON can contain lone surrogates, which no model accepts as a name.
        "".join(fields).encode()
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    return fields


async def read_body(request: Request) -> Body:
    """Read the whole body of a request.

    Raises:
        BodyTooLarge: It exceeds the limit; raised at the first byte too many.
        BadBody: It is a form with files or too many fields.
    """
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


def request_body(model: type[BaseModel]) -> dict[str, object]:
    """Return the OpenAPI description of a body, which FastAPI cannot derive because it may be JSON or a form."""
    schema = {"schema": model.model_json_schema()}
    return {"requestBody": {"content": {"application/json": schema, "application/x-www-form-urlencoded": schema}}}
