"""Which addresses of push services browsers may name; `shared.notify.posting` checks where they lead."""

from urllib.parse import urlsplit

from shared.accounts.webhook_urls import find_webhook_refusal
from shared.core.errors import FieldError
from shared.core.settings import Settings


def find_endpoint_refusal(settings: Settings, url: str) -> FieldError | None:
    """Return the error for an endpoint that this site sends nothing to, None if it may.

    The rules are those of webhooks. Push services use the port of https, and signatures name no other.
    """
    refusal = find_webhook_refusal(settings, url)
    if refusal is not None:
        return FieldError("endpoint", refusal.message, refusal.code)
    if settings.webhook_targets == "public" and urlsplit(url).port not in (None, 443):
        return FieldError("endpoint", "must use the port of https", "not_public")
    return None
