"""The client of S3: minio's, which respects the process's deadline and signs by the storage's clock.

A storage refuses signatures that are more than 15 minutes from its own time, which each of its answers names.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials.providers import Provider
from minio.error import S3Error
from minio.time import to_amz_date

from shared.clients.storage_connections import Connections
from shared.core.log import Rarely
from shared.core.settings import Settings

TOLERATED_S = 5.0
"""A difference that is not corrected: an answer gives its time in whole seconds, and takes a while."""

_CORRECTED = "the storage's clock is %.0f s ahead of this machine's; signatures are corrected"

_log = logging.getLogger(__name__)


class StorageClock:
    """The storage's time, as its answers tell it: this machine's until then, and while the two hardly differ."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        """How far the storage's clock is ahead of this machine's, as of its last answer; 0 while it hardly is."""
        self._rarely = Rarely()

    def now(self) -> datetime:
        """Return the storage's time."""
        return self.correct(datetime.now(UTC))

    def correct(self, here: datetime) -> datetime:
        """Return the storage's time at a time of this machine's clock."""
        return here + timedelta(seconds=self.ahead_s)

    def learn(self, date: str, began: float) -> None:
        """Take over the time of an answer to a request that began at this time of this machine's clock."""
        try:
            there = parsedate_to_datetime(date).timestamp() + 0.5
        except ValueError:
            return
        now = time.time()
        if now - began > TOLERATED_S:
            return  # it is not known when in between
        ahead_s = there - (began + now) / 2
        self.ahead_s = ahead_s if abs(ahead_s) > TOLERATED_S else 0.0
        if self.ahead_s and self._rarely.allows(_CORRECTED):
            _log.warning(_CORRECTED, ahead_s)


class S3Client(Minio):
    """minio's client, which signs by a clock, and once again what was refused before that was known."""

    clock: StorageClock

    def _build_headers(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 # minio's
        headers, _ = super()._build_headers(*arguments, **named)
        now = self.clock.now()
        headers["x-amz-date"] = to_amz_date(now)
        return headers, now

    def _url_open(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 # minio's
        headers, before_s = named.pop("headers", None) or {}, self.clock.ahead_s
        call: Callable[..., Any] = partial(super()._url_open, *arguments, **named)
        try:
            return call(headers=dict(headers))  # a copy, since it adds the signature to them
        except S3Error as error:
            learned = abs(self.clock.ahead_s - before_s) > TOLERATED_S
            if error.response.status not in (400, 403) or not learned:
                raise
        return call(headers=dict(headers))


def connect(settings: Settings, endpoint: str, credentials: Provider, clock: StorageClock) -> S3Client:
    """Return a client of an endpoint, without connecting to it."""
    parts = urlsplit(endpoint)
    client = S3Client(
        parts.netloc,
        credentials=credentials,
        secure=parts.scheme == "https",
        region=settings.s3_region,
        http_client=Connections(clock.learn),
    )
    client.clock = clock
    return client
