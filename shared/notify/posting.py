"""POSTs to addresses that users chose: bounded, to public addresses only, and several at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from shared.core.errors import CodedError
from shared.core.log import job_id as log_job_id
from shared.core.public_addresses import is_beyond_the_link, is_public
from shared.core.settings import Settings
from shared.generators.base import GeneratorError, Stop
from shared.generators.transport import Answer, BoundedHttp, InnerAddress
from shared.notify.delivery_errors import Kind

AT_ONCE = 8
"""What a process sends at once, each to another user: who does not answer holds up only their own."""

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 5.0, 15.0
MAX_ANSWER_BYTES = 1024 * 1024
FIRST_RETRY_S, RETRY_FACTOR, MAX_RETRY_S = 5.0, 4.0, 7200.0


class DeliveryFailed(CodedError):
    """A message was not accepted. `lasting`: it is given up; otherwise it is sent again."""

    def __init__(self, kind: Kind, what: str, *, lasting: bool = False, retry_after_s: float = 0) -> None:
        super().__init__(f"{kind}_{what}", f"The {kind} was not accepted.")
        self.lasting = lasting
        self.retry_after_s = retry_after_s

    def delay_s(self, attempts: int) -> float:
        """Return how long to wait after so many attempts."""
        usual_s = min(MAX_RETRY_S, FIRST_RETRY_S * RETRY_FACTOR ** min(attempts - 1, 10))
        return min(MAX_RETRY_S, max(usual_s, self.retry_after_s))


def exchange(
    kind: Kind, url: str, body: bytes, headers: dict[str, str], settings: Settings, content_type: str
) -> Answer:
    """Send one POST and return its answer, whatever its status.

    Raises:
        DeliveryFailed: There is no answer, or the address is not allowed.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    http = BoundedHttp(
        f"{parts.scheme}://{parts.netloc}",
        connect_timeout_s=CONNECT_TIMEOUT_S,
        headers=headers | {"User-Agent": "Easel", "Accept": "*/*"},
        allowed=is_public if settings.webhook_targets == "public" else is_beyond_the_link,
    )
    with closing(http):
        try:
            return http.send(
                "POST",
                target,
                body,
                timeout_s=ANSWER_TIMEOUT_S,
                limit_bytes=MAX_ANSWER_BYTES,
                content_type=content_type,
            )
        except InnerAddress:
            raise DeliveryFailed(kind, "not_public", lasting=True) from None
        except GeneratorError as error:
            raise DeliveryFailed(kind, error.code.removeprefix("generator_")) from None


def check_answer(kind: Kind, answer: Answer, gone: tuple[int, ...]) -> None:
    """Raise DeliveryFailed unless the status is a success. Redirects are not followed: they could lead inside."""
    if 200 <= answer.status < 300:
        return
    if answer.status in gone:
        raise DeliveryFailed(kind, "gone", lasting=True)
    what = {3: "redirected", 4: "refused"}.get(answer.status // 100, "down")
    raise DeliveryFailed(kind, what, retry_after_s=answer.retry_after_s or 0)


class Claim(Protocol):
    """What a round sends: about a job, to a user."""

    @property
    def job_id(self) -> UUID:
        """The job that the message is about."""

    @property
    def user_id(self) -> UUID:
        """The user who gets the message."""


Claimed = TypeVar("Claimed", bound=Claim)


@dataclass
class Round(Generic[Claimed]):
    """One round of sending, in several threads.

    take: claims a message that is due, for none of these users. send: sends it, and returns whether it was accepted.
    """

    take: Callable[[set[UUID]], Claimed | None]
    send: Callable[[Claimed], bool]
    stop: Stop
    busy: set[UUID] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, threads: int, name: str) -> int:
        """Send all that is due; return how many were accepted."""
        if not threads:
            return 0
        with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
            return sum(started.result() for started in [pool.submit(self._work) for _ in range(threads)])

    def _claim(self) -> Claimed | None:
        with self.lock:
            claim = self.take(self.busy)
            if claim is not None:
                self.busy.add(claim.user_id)
        return claim

    def _work(self) -> int:
        sent = 0
        while not self.stop() and (claim := self._claim()):
            log_job_id.set(str(claim.job_id))
            try:
                sent += self.send(claim)
            finally:
                self.busy.discard(claim.user_id)
                log_job_id.set(None)
        return sent
