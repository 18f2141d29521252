"""Ctrl-C that is not lost: Python drops every exception that comes out of a finalizer, and this one with the others."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_S = 0.02


@contextmanager
def kept_interrupts() -> Iterator[None]:
    """For the main thread: a KeyboardInterrupt that a finalizer has swallowed comes again a moment later. Connections
    have finalizers, so a command that opens one for each call meets Ctrl-C in there now and then."""
    tell = sys.unraisablehook

    def keep(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            tell(unraisable)

    # The alarm means what Ctrl-C means, and interrupts what the command waits for.
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = keep
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = tell
        signal.signal(signal.SIGALRM, before)
