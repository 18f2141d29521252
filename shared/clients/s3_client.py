"""The client of S3: minio's, which respects the process's deadline and signs by the storage's clock.

A storage refuses what is signed more than 15 minutes from its own time. Each of its answers says what that is.
"""

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import Provider
from minio.error import S3Error
from minio.time import to_amz_date

from shared.core import deadline
from shared.core.settings import Settings

CONNECT_LIMIT_S = 3
READ_LIMIT_S = 20
_RETRIES = urllib3.Retry(
    total=4,
    connect=1,
    read=2,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods=None,  # each request may be repeated: objects never change, and a deletion has the same end
    raise_on_status=False,  # the last answer says why
    respect_retry_after_header=False,  # it has no bound
)
"""Up to four tries more, within 4 s; two after a lost answer, which may have taken READ_LIMIT_S."""
CONNECTIONS = 64
"""The number of connections that are kept open for threads that share the storage."""

TOLERATED_S = 5.0
"""A difference that is not corrected: an answer gives its time in whole seconds, and takes a while."""

REPEAT_S = 60.0

_log = logging.getLogger(__name__)


class StorageClock:
    """The storage's time, as its answers tell it: this machine's until then, and while the two hardly differ."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        """How far the storage's clock is ahead of this machine's, as of its last answer; 0 while it hardly is."""
        self._warned_at = -math.inf

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
        if self.ahead_s and time.monotonic() - self._warned_at >= REPEAT_S:
            self._warned_at = time.monotonic()
            _log.warning("the storage's clock is %.0f s ahead of this machine's; signatures are corrected", ahead_s)


class S3Client(Minio):
    """minio's client, which signs by a clock, and once again what was refused before that was known."""

    clock: StorageClock

    def _build_headers(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 # minio's
        headers, _ = super()._build_headers(*arguments, **named)
        now = self.clock.now()
        headers["x-amz-date"] = to_amz_date(now)
        return headers, now

    def _url_open(self, *arguments: Any, headers: Any = None, **named: Any) -> Any:  # noqa: ANN401 # minio's
        before_s = self.clock.ahead_s
        try:
            return super()._url_open(*arguments, headers=dict(headers or {}), **named)
        except S3Error as error:
            learned = abs(self.clock.ahead_s - before_s) > TOLERATED_S
            if error.response.status not in (400, 403) or not learned:
                raise
        return super()._url_open(*arguments, headers=dict(headers or {}), **named)


def connect(settings: Settings, endpoint: str, credentials: Provider, clock: StorageClock) -> S3Client:
    """Return a client of an endpoint, without connecting to it."""
    parts = urlsplit(endpoint)
    client = S3Client(
        parts.netloc,
        credentials=credentials,
        secure=parts.scheme == "https",
        region=settings.s3_region,
        http_client=_Pool(
            clock.learn,
            timeout=urllib3.Timeout(connect=CONNECT_LIMIT_S, read=READ_LIMIT_S),
            retries=_RETRIES,
            maxsize=CONNECTIONS,
        ),
    )
    client.clock = clock
    return client


class _Pool(urllib3.PoolManager):
    """A connection pool that respects the process's deadline: if one is set, a single try within the time left."""

    def __init__(self, learn: Callable[[str, float], None], **options: Any) -> None:  # noqa: ANN401 # urllib3's
        super().__init__(**options)
        self._learn = learn

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override] # noqa: ANN401 # urllib3's
        left_s = deadline.left_s()
        if left_s <= 0:
            raise urllib3.exceptions.TimeoutError("no time is left")
        if left_s < math.inf:
            timeout = urllib3.Timeout(total=left_s, connect=CONNECT_LIMIT_S, read=READ_LIMIT_S)
            options |= {"timeout": timeout, "retries": False}
        began = time.time()
        response = super().urlopen(method, url, redirect, **options)
        if date := response.headers.get("Date"):
            self._learn(date, began)
        return response
