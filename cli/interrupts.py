"""Keeps Ctrl-C from being lost: Python drops exceptions that a finalizer raises, KeyboardInterrupt included."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

RETRY_S = 0.02


@contextmanager
def keep_interrupts() -> Iterator[None]:
    """Raise a KeyboardInterrupt that a finalizer has swallowed again, a moment later. For the main thread.

    Connections have finalizers, so a command that opens one per call sometimes gets Ctrl-C inside one.
    """
    report = sys.unraisablehook

    def keep(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, RETRY_S)
        else:
            report(unraisable)

    # The alarm has the effect of Ctrl-C, and interrupts what the command waits for.
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = keep
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = report
        signal.signal(signal.SIGALRM, before)
