"""Opaque tokens: 256 random bits with the prefix `easel_`; the database keeps only their hash."""

import hashlib
import re
import secrets

_FORM = re.compile(r"easel_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Return a new secret, to be shown to its owner once."""
    return "easel_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes | None:
    """Return the 32-byte hash that the database stores, or None if the text does not have a token's form."""
    return hashlib.sha256(token.encode()).digest() if _FORM.fullmatch(token) else None
