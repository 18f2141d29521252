"""The JSON that every reader understands alike: in UTF-8, with no name twice in an object."""

import json

from starlette.exceptions import HTTPException


def check_json(body: bytes) -> None:
    """Refuse text in another encoding, and an object with the same name twice. Other errors are left to the reader.

    Raises:
        HTTPException: 422, since FastAPI lets this exception through and reports any other as a body that is not JSON.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in the other encodings that Python's reader guesses
        raise HTTPException(422, "is not JSON in UTF-8")
    try:
        json.loads(text, object_pairs_hook=_check_names)
    except (ValueError, RecursionError):
        return


def _check_names(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise HTTPException(422, "has an object with the same field twice")
