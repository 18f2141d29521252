"""Connections to the storage: how long a request may take, and when it is made again."""

import math
import time
from collections.abc import Callable
from typing import Any

import urllib3

from shared.core import deadline

CONNECT_LIMIT_S = 3
READ_LIMIT_S = 20
CONNECTIONS = 64
"""The number of connections that are kept open for threads that share the storage."""
RETRIES, RETRY_LIMIT_S = 5, 8.0
"""How often a request is repeated, and for how long, after a lost reply or an answer that may pass."""
PASSING = frozenset({429, 500, 502, 503, 504})


class _Retry(urllib3.Retry):
    """Repeats of one request until a time: pauses double from 0.1 s, and a random part keeps requests apart.

    Every request may be made twice, since an object never changes.
    """

    until = math.inf

    @classmethod
    def begin(cls) -> "_Retry":
        """Return the repeats of a request that begins now."""
        retry = cls(
            RETRIES,
            connect=2,
            allowed_methods=None,
            status_forcelist=PASSING,
            backoff_factor=0.1,
            backoff_max=2.0,
            backoff_jitter=0.2,
            raise_on_status=False,  # the answer says what was wrong
            respect_retry_after_header=False,
        )
        retry.until = time.monotonic() + RETRY_LIMIT_S
        return retry

    def new(self, **changes: Any) -> "_Retry":  # noqa: ANN401 # urllib3's
        changed = super().new(**changes)
        changed.until = self.until
        return changed

    def is_exhausted(self) -> bool:
        return super().is_exhausted() or time.monotonic() > self.until

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        return time.monotonic() <= self.until and super().is_retry(method, status_code, has_retry_after)


class Connections(urllib3.PoolManager):
    """A connection pool that repeats requests, and respects the process's deadline.

    If one is set, there is a single try within the time left.
    """

    def __init__(self, learn: Callable[[str, float], None]) -> None:
        """Prepare connections. learn: gets the time that an answer names, and when its request began here."""
        self._learn = learn
        super().__init__(timeout=urllib3.Timeout(connect=CONNECT_LIMIT_S, read=READ_LIMIT_S), maxsize=CONNECTIONS)

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override] # noqa: ANN401 # urllib3's
        """Make a request, and again after what may pass. Raises urllib3's errors."""
        left_s = deadline.left_s()
        if left_s <= 0:
            raise urllib3.exceptions.TimeoutError("no time is left")
        if left_s < math.inf:
            timeout = urllib3.Timeout(total=left_s, connect=CONNECT_LIMIT_S, read=READ_LIMIT_S)
            options |= {"timeout": timeout, "retries": False}
        else:
            options["retries"] = _Retry.begin()
        began = time.time()
        answer = super().urlopen(method, url, redirect, **options)
        if date := answer.headers.get("Date"):
            self._learn(date, began)
        return answer
