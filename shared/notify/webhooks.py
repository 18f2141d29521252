"""Webhooks: a signed POST to a program when a job has ended (https://www.standardwebhooks.com, signature `v1`).

A webhook is sent at least once, and has the same `webhook-id` each time. What it says is the same each time, too.
"""

import hmac
import json
import logging
from base64 import b64encode
from datetime import UTC
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts.webhook_urls import find_webhook_refusal
from shared.core.settings import Settings
from shared.generators.base import Stop, never_stop
from shared.notify import delivery_errors, outbox_rows, webhook_store
from shared.notify.posting import AT_ONCE, DeliveryFailed, Round, check_answer, exchange
from shared.notify.webhook_store import WebhookClaim
from shared.services import Services

_log = logging.getLogger(__name__)


def send_due(services: Services, stop: Stop = never_stop) -> int:
    """Send every webhook that is due; return how many were accepted. It waits for the receivers."""
    with services.db.statement() as connection:
        threads = outbox_rows.count_due(connection, "webhooks", AT_ONCE)

    def take(busy: set[UUID]) -> WebhookClaim | None:
        with services.db.statement() as connection:
            return webhook_store.claim(connection, busy)

    return Round(take, lambda claim: _send(services, claim), stop).run(threads, "webhook")


def _send(services: Services, claim: WebhookClaim) -> bool:
    """Send a claimed webhook, then drop or postpone it; return whether it was accepted."""
    try:
        post(claim, services.settings)
    except DeliveryFailed as error:
        _log.warning("a webhook %s: %s", "is given up" if error.lasting else "waits", error.code)
        with services.db.begin() as connection:
            _record(connection, claim, error)
        return False
    with services.db.begin() as connection:
        # The user first, as where a job with its webhook is deleted, so that the two cannot deadlock.
        webhook_store.set_error(connection, claim.user_id, None)
        outbox_rows.drop(connection, "webhooks", claim.job_id, claim.due_at)
    return True


def _record(connection: Connection, claim: WebhookClaim, error: DeliveryFailed) -> None:
    delivery_errors.record(connection, "webhook", error.code, given_up=int(error.lasting))
    webhook_store.set_error(connection, claim.user_id, error.code)
    if error.code == "webhook_gone":
        webhook_store.forget_url(connection, claim.user_id, claim.url)
    if error.lasting:
        outbox_rows.drop(connection, "webhooks", claim.job_id, claim.due_at)
    else:
        outbox_rows.postpone(connection, "webhooks", claim.job_id, claim.due_at, error.delay_s(claim.attempts))


def post(claim: WebhookClaim, settings: Settings) -> None:
    """Send one webhook.

    Raises:
        DeliveryFailed: It was not accepted.
    """
    if find_webhook_refusal(settings, claim.url):
        raise DeliveryFailed("webhook", "not_public", lasting=True)  # the setting may have changed meanwhile
    body = compose(claim, settings)
    headers = sign(claim, body, int(claim.claimed_at.timestamp()))
    answer = exchange("webhook", claim.url, body, headers, settings, "application/json")
    check_answer("webhook", answer, gone=(410,))


def compose(claim: WebhookClaim, settings: Settings) -> bytes:
    """Return the body: how the job ended, and the links of its pictures, which never expire."""
    failed = claim.error_code is not None
    data = {
        "id": str(claim.job_id),
        "state": claim.state,
        "error": {"code": claim.error_code, "message": claim.error_message} if failed else None,
        "images": [image | {"link": f"{settings.public_url}/i/{image['id']}"} for image in claim.images],
        "url": f"{settings.public_url}/v1/jobs/{claim.job_id}",
    }
    at = claim.finished_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": f"job.{claim.state}", "timestamp": at, "data": data}, ensure_ascii=False).encode()


def sign(claim: WebhookClaim, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the three headers of Standard Webhooks. A job that was requeued ends again: that is another id."""
    webhook_id = f"{claim.job_id}-{claim.requeues}"
    digest = hmac.digest(claim.secret, f"{webhook_id}.{timestamp}.".encode() + body, sha256)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
