"""Which addresses webhooks may be sent to, as far as their text shows it; `shared.notify.webhooks` checks the rest."""

from urllib.parse import urlsplit

from shared.core.errors import FieldError
from shared.core.public_addresses import is_beyond_the_link, is_public
from shared.core.settings import Settings


def find_webhook_refusal(settings: Settings, url: str) -> FieldError | None:
    """Return the error for a URL of the right form that this site sends no webhooks to, None if it may.

    The name of a host is looked up when a webhook is sent, not here: it may lead elsewhere by then.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if settings.webhook_targets == "any":
        is_right = _may_be_beyond_the_link(parts.hostname or "")
        return None if is_right else FieldError("webhook_url", "must not lead to a link-local address", "not_public")
    if parts.scheme != "https":
        return FieldError("webhook_url", "must start with https://", "no_url")
    if not _may_be_public(parts.hostname or ""):
        return FieldError("webhook_url", "must lead to a public address", "not_public")
    return None


def _may_be_beyond_the_link(host: str) -> bool:
    try:
        return is_beyond_the_link(host)
    except ValueError:
        return True


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        # No public name is one word, and none ends in a number: those are other spellings of IPv4 addresses.
        *rest, last = host.rstrip(".").split(".")
        return bool(rest) and not last[:1].isdigit() and last not in ("local", "localhost", "internal")
