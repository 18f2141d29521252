"""Web Push: notifying browsers that a picture is there, also when no page of the site is open (RFC 8030, 8291, 8292).

The message is encrypted for the browser and has no words of the prompt. A group has one, when all of it has ended.
"""

import json
import logging
from email.utils import parseaddr
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts.push_endpoints import find_endpoint_refusal
from shared.core.settings import Settings
from shared.generators.base import Stop, never_stop
from shared.notify import delivery_errors, outbox_rows, push_keys, push_store
from shared.notify.posting import AT_ONCE, DeliveryFailed, Round, check_answer, exchange
from shared.notify.push_store import PushClaim, PushKeys
from shared.services import Services

TTL_S = 24 * 3600
"""How long a push service keeps a message for a browser that is away."""

EXPIRES_S = 12 * 3600
"""How long a push service accepts a signature; at most a day (RFC 8292, 2)."""

TITLES = {
    "en": {
        "succeeded": "Your picture is ready.",
        "failed": "A picture could not be made.",
        "group": "Your pictures are ready.",
        "likeness_succeeded": "Your likeness is ready.",
        "likeness_failed": "A likeness could not be trained.",
    },
    "ru": {
        "succeeded": "Картинка готова.",
        "failed": "Картинку сделать не удалось.",
        "group": "Картинки готовы.",
        "likeness_succeeded": "Образ готов.",
        "likeness_failed": "Образ не получился.",
    },
}

_log = logging.getLogger(__name__)


def send_due(services: Services, stop: Stop = never_stop) -> int:
    """Send every push that is due; return how many were accepted. It waits for the push services."""
    with services.db.statement() as connection:
        threads = outbox_rows.count_due(connection, "pushes", AT_ONCE)
    if not threads:
        return 0
    keys = push_keys.ensure(services)

    def take(busy: set[UUID]) -> PushClaim | None:
        with services.db.statement() as connection:
            return push_store.claim(connection, busy)

    return Round(take, lambda claim: _send(services, keys, claim), stop).run(threads, "push")


def _send(services: Services, keys: PushKeys, claim: PushClaim) -> bool:
    """Send a claimed push, then drop or postpone it; return whether it was accepted."""
    try:
        if not claim.unfinished:
            post(claim, keys, services.settings)
    except DeliveryFailed as error:
        _log.warning("a push %s: %s", "is given up" if error.lasting else "waits", error.code)
        with services.db.begin() as connection:
            _record(connection, claim, error)
        return False
    with services.db.statement() as connection:
        push_store.drop(connection, claim)  # the last job of the group notifies
    return not claim.unfinished


def _record(connection: Connection, claim: PushClaim, error: DeliveryFailed) -> None:
    delivery_errors.record(connection, "push", error.code, given_up=int(error.lasting))
    if error.lasting:
        push_store.drop_subscription(connection, claim.subscription_id)
    else:
        push_store.postpone(connection, claim, error.delay_s(claim.attempts))


def post(claim: PushClaim, keys: PushKeys, settings: Settings) -> None:
    """Send one push.

    Raises:
        DeliveryFailed: It was not accepted. If that is lasting, the browser cannot be notified any more.
    """
    if find_endpoint_refusal(settings, claim.endpoint):
        raise DeliveryFailed("push", "not_public", lasting=True)  # the setting may have changed meanwhile
    body, headers = encrypt(claim, keys, settings)
    headers |= {"Urgency": "normal", "Topic": claim.subject.hex}
    answer = exchange("push", claim.endpoint, body, headers, settings, "application/octet-stream")
    check_answer("push", answer, gone=(404, 410))


def encrypt(claim: PushClaim, keys: PushKeys, settings: Settings) -> tuple[bytes, dict[str, str]]:
    """Return the message as only the browser can read it, and the headers that a push service wants.

    Raises:
        DeliveryFailed: The browser's keys are no keys.
    """
    from webpush import WebPush, WebPushSubscription  # takes 100 ms, and most processes send no push

    sender = parseaddr(settings.mail_from)[1]
    pusher = WebPush(keys.private_key, keys.public_key, subscriber=sender, ttl=TTL_S, expiration=EXPIRES_S)
    given = {"endpoint": claim.endpoint, "keys": {"auth": claim.auth, "p256dh": claim.p256dh}}
    try:
        message = pusher.get(compose(claim), WebPushSubscription.model_validate(given))
    except ValueError:
        raise DeliveryFailed("push", "bad_key", lasting=True) from None
    return message.encrypted, {str(name): str(value) for name, value in message.headers.items()}


def compose(claim: PushClaim) -> bytes:
    """Return what `web/service-worker.js` shows: a title, the page to open, and what this replaces."""
    end = "succeeded" if claim.state == "succeeded" else "failed"
    kind = f"likeness_{end}" if claim.is_training else end if claim.group_id is None else "group"
    title = TITLES[claim.language][kind]
    said = {"title": title, "url": f"/pictures/{claim.job_id}", "tag": f"easel-{claim.subject}", "lang": claim.language}
    return json.dumps(said, ensure_ascii=False).encode()
