"""Opaque tokens: 256 random bits with the prefix `easel_`; the database keeps only their hash."""

import hashlib
import re
import secrets

_FORM = re.compile(r"easel_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A fresh secret to hand to a caller once."""
    return "easel_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes | None:
    """What the database knows of a token (32 bytes), or None for what cannot be one."""
    return hashlib.sha256(token.encode()).digest() if _FORM.fullmatch(token) else None
