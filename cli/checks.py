"""What `easel check` finds out: probes that are tried side by side, each within its time, and what each has to say."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

LONGEST_S = 60.0
"""For all probes together, since they begin together."""


class Level(StrEnum):
    """How bad a finding is. WARNING: it works, but somebody should know. WRONG: something does not work."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One sentence or two about one part: what there is and, unless it is well, what to do."""

    level: Level
    words: str


def ok(words: str) -> Finding:
    return Finding(Level.OK, words)


def warning(words: str) -> Finding:
    return Finding(Level.WARNING, words)


def wrong(words: str) -> Finding:
    return Finding(Level.WRONG, words)


@dataclass
class Probe:
    """A part to look at. `look` gives its findings one by one, and raises nothing that is foreseen."""

    name: str
    look: Callable[[], Iterable[Finding]]
    found: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        """Look, and keep what is found."""
        try:
            for finding in self.look():
                self.found.append(finding)
        except Exception as error:
            # One probe that breaks must not take the others along; what it broke at is told by its kind alone, since
            # messages quote addresses and passwords.
            self.found.append(wrong(f"The probe itself broke ({type(error).__name__}); this is a fault of Easel."))


def tried(probes: Iterable[Probe], longest_s: float = LONGEST_S) -> Iterator[tuple[str, Finding]]:
    """Run the probes side by side and give their findings in the probes' order, each as soon as that allows.

    A probe that has not ended after `longest_s` is given up; its thread ends with the program.
    """
    running = []
    end = time.monotonic() + longest_s
    for probe in probes:
        thread = threading.Thread(target=probe.run, name=probe.name, daemon=True)
        thread.start()
        running.append((probe, thread))
    for probe, thread in running:
        thread.join(max(0.0, end - time.monotonic()))
        late = thread.is_alive()
        for finding in tuple(probe.found):
            yield probe.name, finding
        if late:
            yield probe.name, wrong(f"The rest was not known after {longest_s:.0f} s; what answers is far too slow.")
