"""Cursors of a user's own lists: the id to continue after, signed by the token for which the page was made.

The key is the token's hash, which the caller never sees: nothing has to be kept, and no other user can use the cursor.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from shared.accounts.auth import Credential
from shared.core.errors import BadRequest

CURSOR_PATTERN = "^[A-Za-z0-9_-]{38}$"
_SIGNATURE_BYTES = 12


def next_cursor(credential: Credential, after: str | None) -> str | None:
    """Return the cursor of the page after this id, None for none. The credential is a valid one."""
    if after is None:
        return None
    id_ = UUID(after).bytes
    return urlsafe_b64encode(id_ + _signature(credential, id_)).decode().rstrip("=")


def read_cursor(credential: Credential, cursor: str) -> UUID:
    """Return the id to continue after.

    Raises:
        BadRequest: It was not made for this token.
    """
    try:
        signed = urlsafe_b64decode(cursor.encode("ascii") + b"==")
    except ValueError:
        signed = b""
    id_, signature = signed[:16], signed[16:]
    if len(id_) < 16 or not hmac.compare_digest(signature, _signature(credential, id_)):
        raise BadRequest("The cursor was not issued by this list, or for another token. Begin without a cursor.")
    return UUID(bytes=id_)


def _signature(credential: Credential, id_: bytes) -> bytes:
    return hmac.digest(credential.token_hash, b"cursor" + id_, sha256)[:_SIGNATURE_BYTES]
