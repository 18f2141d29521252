"""A wrong clock of a process of Easel, in the tests' process: only Easel's own modules and minio's see it."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

AHEAD_S = {"an hour ahead": 3600.0, "10 s ahead": 10.0, "10 s behind": -10.0, "an hour behind": -3600.0}
"""How far a clock is ahead."""

_OURS, _PARTNERS = ("shared.", "minio."), "shared.testing."


@contextmanager
def wrong_clock(ahead_s: float) -> Iterator[None]:
    """Let Easel's modules read a clock that is so far ahead. Its partners, the fakes among them, have the right one."""
    shown = {"time": (time, _time(ahead_s)), "datetime": (datetime, _datetime(ahead_s))}
    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if not name.startswith(_OURS) or name.startswith(_PARTNERS):
                continue
            for attribute, (right, wrong) in shown.items():
                if getattr(module, attribute, None) is right:
                    stack.enter_context(patch.object(module, attribute, wrong))
        yield


def _time(ahead_s: float) -> Any:  # a module, as far as its users see
    class Shifted:
        def __getattr__(self, name: str) -> Any:  # as the module has it
            return getattr(time, name)

        def time(self) -> float:
            return time.time() + ahead_s

    return Shifted()


def _datetime(ahead_s: float) -> type[datetime]:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a plain one is enough
            return datetime.now(tz) + timedelta(seconds=ahead_s)

        @classmethod
        def utcnow(cls) -> datetime:  # type: ignore[override]
            return cls.now(UTC).replace(tzinfo=None)

    return Shifted
