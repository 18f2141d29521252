"""Ctrl-C in the middle of a finalizer."""

import signal
import socket
import sys

import pytest

from cli import interrupts
from cli.interrupts import keep_interrupts

PATIENCE_S = 20


class Ends:
    """An object whose finalizer raises an exception."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __del__(self) -> None:
        raise self.error


def test_an_interrupt_swallowed_by_a_finalizer_is_raised_again() -> None:
    """Happens while the command waits for an answer, as it does nearly always."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    with ours, theirs, pytest.raises(KeyboardInterrupt):
        interrupted_call(ours)


@keep_interrupts()
def interrupted_call(line: socket.socket) -> None:
    Ends(KeyboardInterrupt())
    line.recv(1)


def test_other_errors_are_reported_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: reported.append(unraisable.exc_type))
    with keep_interrupts():
        Ends(ValueError())
    assert reported == [ValueError]


def test_afterwards_the_hooks_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "RETRY_S", PATIENCE_S)
    before = (sys.unraisablehook, signal.getsignal(signal.SIGALRM))
    with keep_interrupts():
        Ends(KeyboardInterrupt())
    assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
