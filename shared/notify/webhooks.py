"""Webhooks: a signed POST to a program when a job has ended (https://www.standardwebhooks.com, signature `v1`).

A webhook is sent at least once, and has the same `webhook-id` each time. What it says is the same each time, too.
"""

import hmac
import json
import logging
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts.webhook_urls import find_webhook_refusal
from shared.core.errors import CodedError
from shared.core.log import job_id as log_job_id
from shared.core.settings import Settings
from shared.generators.base import GeneratorError, Stop, never_stop
from shared.generators.transport import Answer, BoundedHttp, InnerAddress
from shared.notify import delivery_errors, outbox_rows, webhook_store
from shared.notify.webhook_store import WebhookClaim
from shared.services import Services

AT_ONCE = 8
"""Webhooks that a process sends at once, each of another user: who does not answer holds up only their own."""

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 5.0, 15.0
MAX_ANSWER_BYTES = 1024 * 1024
FIRST_RETRY_S, RETRY_FACTOR, MAX_RETRY_S = 5.0, 4.0, 7200.0

_log = logging.getLogger(__name__)


class WebhookFailed(CodedError):
    """A webhook was not accepted. `lasting`: it is given up; otherwise it is sent again."""

    def __init__(self, code: str, *, lasting: bool = False, retry_after_s: float = 0) -> None:
        super().__init__(code, "The webhook was not accepted.")
        self.lasting = lasting
        self.retry_after_s = retry_after_s


@dataclass
class _Round:
    """One round of sending, in several threads."""

    services: Services
    stop: Stop
    busy: set[UUID] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self) -> WebhookClaim | None:
        with self.lock, self.services.db.statement() as connection:
            claim = webhook_store.claim(connection, self.busy)
            if claim is not None:
                self.busy.add(claim.user_id)
        return claim

    def work(self) -> int:
        sent = 0
        while not self.stop() and (claim := self.claim()):
            log_job_id.set(str(claim.job_id))
            try:
                sent += _send(self.services, claim)
            finally:
                self.busy.discard(claim.user_id)
                log_job_id.set(None)
        return sent


def are_due(services: Services) -> bool:
    """Return whether a webhook is due."""
    with services.db.statement() as connection:
        return webhook_store.count_due(connection, 1) > 0


def send_due(services: Services, stop: Stop = never_stop) -> int:
    """Send every webhook that is due; return how many were accepted. It waits for the receivers."""
    with services.db.statement() as connection:
        threads = webhook_store.count_due(connection, AT_ONCE)
    if not threads:
        return 0
    work = _Round(services, stop)
    with ThreadPoolExecutor(threads, thread_name_prefix="webhook") as pool:
        return sum(started.result() for started in [pool.submit(work.work) for _ in range(threads)])


def _send(services: Services, claim: WebhookClaim) -> bool:
    """Send a claimed webhook, then drop or postpone it; return whether it was accepted."""
    try:
        post(claim, services.settings)
    except WebhookFailed as error:
        _log.warning("a webhook %s: %s", "is given up" if error.lasting else "waits", error.code)
        with services.db.begin() as connection:
            _record(connection, claim, error)
        return False
    with services.db.begin() as connection:
        outbox_rows.drop(connection, "webhooks", claim.job_id, claim.attempts)
        webhook_store.set_error(connection, claim.user_id, None)
    return True


def _record(connection: Connection, claim: WebhookClaim, error: WebhookFailed) -> None:
    delivery_errors.record(connection, "webhook", error.code, given_up=int(error.lasting))
    webhook_store.set_error(connection, claim.user_id, error.code)
    if error.code == "webhook_gone":
        webhook_store.forget_url(connection, claim.user_id, claim.url)
    if error.lasting:
        outbox_rows.drop(connection, "webhooks", claim.job_id, claim.attempts)
    else:
        usual_s = min(MAX_RETRY_S, FIRST_RETRY_S * RETRY_FACTOR ** min(claim.attempts - 1, 10))
        delay_s = min(MAX_RETRY_S, max(usual_s, error.retry_after_s))
        outbox_rows.postpone(connection, "webhooks", claim.job_id, claim.attempts, delay_s)


def post(claim: WebhookClaim, settings: Settings) -> None:
    """Send one webhook.

    Raises:
        WebhookFailed: It was not accepted.
    """
    if find_webhook_refusal(settings, claim.url):
        raise WebhookFailed("webhook_not_public", lasting=True)  # the setting may have changed meanwhile
    body = compose(claim, settings)
    headers = sign(claim, body, int(time.time())) | {"User-Agent": "Easel", "Accept": "*/*"}
    parts = urlsplit(claim.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    http = BoundedHttp(
        f"{parts.scheme}://{parts.netloc}",
        connect_timeout_s=CONNECT_TIMEOUT_S,
        headers=headers,
        public_only=settings.webhook_targets == "public",
    )
    with closing(http):
        try:
            answer = http.send("POST", target, body, timeout_s=ANSWER_TIMEOUT_S, limit_bytes=MAX_ANSWER_BYTES)
        except InnerAddress:
            raise WebhookFailed("webhook_not_public", lasting=True) from None
        except GeneratorError as error:
            raise WebhookFailed(error.code.replace("generator_", "webhook_", 1)) from None
    _check(answer)


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


def _check(answer: Answer) -> None:
    """Raise WebhookFailed unless the status is a success. Redirects are not followed: they could lead inside."""
    if 200 <= answer.status < 300:
        return
    if answer.status == 410:
        raise WebhookFailed("webhook_gone", lasting=True)
    code = {3: "webhook_redirected", 4: "webhook_refused"}.get(answer.status // 100, "webhook_down")
    raise WebhookFailed(code, retry_after_s=answer.retry_after_s or 0)
