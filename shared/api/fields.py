"""The types of fields that many requests have: text, numbers, addresses and passwords."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.core.limits import (
    MAX_EMAIL_CHARACTERS,
    MAX_PASSWORD_CHARACTERS,
    MAX_TOKEN_NAME_CHARACTERS,
    MAX_URL_CHARACTERS,
    MIN_PASSWORD_CHARACTERS,
)
from shared.core.words import composed, prepared_password


def _storable(text: str) -> str:
    """Return the text in NFC, so that one word is one text. Raises ValueError where it cannot be stored."""
    return composed(_checked(text))


def _checked(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    if any("\ud800" <= character <= "\udfff" for character in text):  # JSON can spell these; UTF-8 cannot
        raise ValueError("must not contain surrogates")
    return text


def _password_length(least: int) -> Callable[[str], str]:
    """Return the check of a password's length in characters after its preparation, on every system the same."""

    def check(text: str) -> str:
        characters = len(prepared_password(text))
        if characters > MAX_PASSWORD_CHARACTERS:
            raise PydanticKnownError("string_too_long", {"max_length": MAX_PASSWORD_CHARACTERS})
        if characters < least:
            raise PydanticKnownError("string_too_short", {"min_length": least})
        return text

    return check


def _url(text: str) -> str:
    """Return an http or https URL without user and fragment, or the empty text."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        port = 0
    plain = text.isascii() and text.isprintable() and not set(text) & set(" \\#")
    if port == 0 or not plain or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise PydanticCustomError("no_url", "is not a URL such as https://example.com/easel, without user and #")
    return text


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, AfterValidator(_storable)]
Whole = BeforeValidator(_whole)
"""For an int, after its bounds: JSON has one kind of number, and many programs write 64 as `64.0` or `6.4e1`.

Bounds after a validator would be missing in the schema.
"""
Stripped = StringConstraints(strip_whitespace=True, min_length=1)
Email = Annotated[
    str,
    Stripped,
    StringConstraints(max_length=MAX_EMAIL_CHARACTERS),
    AfterValidator(_storable),
    Field(json_schema_extra={"format": "email"}),
]
# A password stays as it was typed, because older hashes may be of that.
Password = Annotated[
    str,
    AfterValidator(_checked),
    AfterValidator(_password_length(0)),
    Field(json_schema_extra={"maxLength": MAX_PASSWORD_CHARACTERS}),
]
NewPassword = Annotated[
    str,
    AfterValidator(_checked),
    AfterValidator(_password_length(MIN_PASSWORD_CHARACTERS)),
    Field(json_schema_extra={"minLength": MIN_PASSWORD_CHARACTERS, "maxLength": MAX_PASSWORD_CHARACTERS}),
]
Appeal = Annotated[str, Stripped, StringConstraints(max_length=500), AfterValidator(_storable)]
TokenName = Annotated[str, Stripped, StringConstraints(max_length=MAX_TOKEN_NAME_CHARACTERS), AfterValidator(_storable)]
WebhookUrl = Annotated[
    str,
    StringConstraints(max_length=MAX_URL_CHARACTERS),
    AfterValidator(_url),
    Field(description="An https URL that gets a signed POST when a job ends; an empty text for none."),
]
PushEndpoint = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL_CHARACTERS),
    AfterValidator(_url),
    Field(description="The https URL of the browser at its push service."),
]
Search = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_storable)]
