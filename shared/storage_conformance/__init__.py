"""What Easel needs of an S3 storage, promise by promise, tried on a real one.

The operator's `easel check` runs it on the storage in use, the tests on every server that can be had. It writes only
under a prefix of its own, less than 2 MB in all, deletes that afterwards, and needs no rights but Easel's own. The
rules are those of "Authenticating Requests" and "Browser-Based Uploads Using POST" in the S3 API reference.
"""

import contextlib
import time
from collections.abc import Iterator

from shared.core.errors import Unavailable
from shared.core.settings import Settings
from shared.storage_conformance import entry, forms, links, objects, pages
from shared.storage_conformance.check import Broken, Check
from shared.storage_conformance.probe import Probe

__all__ = ["CHECKS", "Broken", "Check", "Probe", "run_checks"]

CHECKS: tuple[Check, ...] = tuple(
    check for part in (objects, links, forms, entry, pages) for check in part.check.checks
)
"""In the order in which they are best told; the first asks for the bucket."""

LONGEST_S = 120
"""After this time no further check is begun."""

NOT_TRIED = "It was not tried, because the storage is too slow."


def run_checks(settings: Settings) -> Iterator[tuple[Check, Broken | None]]:
    """Try every promise in turn; None says that it is kept. Ends after the first where there is no bucket."""
    probe = Probe(settings)
    end = time.monotonic() + LONGEST_S
    try:
        for check in CHECKS:
            outcome = check.outcome(probe) if time.monotonic() < end else Broken(NOT_TRIED)
            yield check, outcome
            if outcome and check is CHECKS[0]:
                return
    finally:
        # That objects cannot be deleted is told by the check of that name; the bucket's lifecycle takes them away.
        with contextlib.suppress(Unavailable):
            probe.close()
