"""What a sign-in at the provider has to come back with: signed, in a cookie of the browser that began it.

The key is made of the client's secret, which every function that signs people in has anyway, so that nothing is kept
while somebody is at the provider.
"""

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256

LIFETIME_S = 600
"""How long somebody may take at the provider."""

_TAG_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that has begun: its secrets, where it leads, and since when it is under way.

    `fresh`: the person must have signed in at the provider just now. `user_id`: the account that is to be connected
    instead of signing in.
    """

    state: str
    nonce: str
    verifier: str
    path: str
    began_at: float
    fresh: bool = False
    user_id: str | None = None


def begin(path: str, *, fresh: bool = False, user_id: str | None = None) -> Pending:
    """Return a new sign-in with secrets of 256 bits. path: the page of this site that it leads to."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Pending(state, nonce, verifier, path, time.time(), fresh, user_id)


def seal(pending: Pending, client_secret: str) -> str:
    """Return the cookie's value."""
    body = json.dumps(asdict(pending)).encode()
    return urlsafe_b64encode(_tag(body, client_secret) + body).decode().rstrip("=")


def unseal(value: str, client_secret: str, state: str) -> Pending | None:
    """Return the sign-in that a cookie is of, or None: another's signature, another state, or too old."""
    try:
        signed = urlsafe_b64decode(value.encode("ascii") + b"==")
    except ValueError:
        return None
    tag, body = signed[:_TAG_BYTES], signed[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(body, client_secret)):
        return None
    try:
        pending = Pending(**json.loads(body))
    except TypeError:  # of another version of Easel
        return None
    known = hmac.compare_digest(pending.state.encode(), state.encode())
    return pending if known and 0 <= time.time() - pending.began_at + 60 <= LIFETIME_S + 60 else None


def _tag(body: bytes, client_secret: str) -> bytes:
    key = hmac.digest(client_secret.encode(), b"easel: the cookie of a sign-in", sha256)
    return hmac.digest(key, body, sha256)
