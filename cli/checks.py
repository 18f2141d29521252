"""The checks of `easel check`: run side by side within a time limit, each with its findings."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

TIMEOUT_S = 60.0
"""For all checks together, since they start together."""


class Level(StrEnum):
    """The level of a finding. WARNING: it works, but needs attention. WRONG: something does not work."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One or two sentences about one service: its state and, if something is wrong, what to do."""

    level: Level
    message: str


def ok(message: str) -> Finding:
    """Return the finding that something works."""
    return Finding(Level.OK, message)


def warning(message: str) -> Finding:
    """Return a warning."""
    return Finding(Level.WARNING, message)


def wrong(message: str) -> Finding:
    """Return the finding that something does not work."""
    return Finding(Level.WRONG, message)


@dataclass
class Check:
    """A check of one service. `find` yields its findings, and raises only unexpected errors."""

    name: str
    find: Callable[[], Iterable[Finding]]
    found: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        """Run the check and keep its findings."""
        try:
            for finding in self.find():
                self.found.append(finding)
        except Exception as error:
            # A check that breaks must not stop the others. Only the type of the error is shown, since messages quote
            # addresses and passwords.
            self.found.append(wrong(f"The check ended early ({type(error).__name__}), so it found nothing more."))


def run_checks(checks: Iterable[Check], timeout_s: float = TIMEOUT_S) -> Iterator[tuple[str, Finding]]:
    """Run the checks side by side and yield (name, finding) in the checks' order, each as soon as possible.

    A check that has not ended after `timeout_s` is abandoned; its thread ends with the program.
    """
    running = []
    end = time.monotonic() + timeout_s
    for check in checks:
        thread = threading.Thread(target=check.run, name=check.name, daemon=True)
        thread.start()
        running.append((check, thread))
    for check, thread in running:
        thread.join(max(0.0, end - time.monotonic()))
        late = thread.is_alive()
        for finding in tuple(check.found):
            yield check.name, finding
        if late:
            yield check.name, wrong(f"The check was not finished after {timeout_s:.0f} s; the service is far too slow.")
