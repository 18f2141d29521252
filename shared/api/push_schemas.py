"""The schemas of browsers that are notified when a job has ended (Web Push)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.api.fields import PushEndpoint
from shared.api.schemas import Answer, Request


class PushKeys(Request):
    """The browser's keys, in base64url without padding as `PushSubscription.toJSON()` writes them."""

    # A point of P-256 without compression begins with 4: BA to BP in base64.
    p256dh: Annotated[str, StringConstraints(pattern=r"^B[A-P][A-Za-z0-9_-]{85}$")]
    auth: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{22}$")]


class PushSubscription(Request):
    """A browser's subscription at its push service."""

    endpoint: PushEndpoint
    keys: PushKeys


class PushRemoval(Request):
    """Which browser to forget."""

    endpoint: PushEndpoint


class PushKeyView(Answer):
    """The site's key."""

    key: str = Field(description="The `applicationServerKey` of `pushManager.subscribe`, in base64url.")
