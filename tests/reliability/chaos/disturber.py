"""Kills, freezes and restarts processes of the site at random, one after the other."""

import random
import signal
import threading
import time
from typing import NamedTuple

from tests.reliability.chaos.site import Site, send

LONGEST_FREEZE_S = 12.0
LONGEST_GONE_S = 2.0


class Fault(NamedTuple):
    """A fault: which, of what, and when it began (`time.time`)."""

    kind: str
    part: str
    at: float


class Disturber:
    """Does one fault about every `pause_s` until it is over. Only processes of the site are touched."""

    def __init__(self, site: Site, pause_s: float, seed: int) -> None:
        self._site = site
        self._pause_s = pause_s
        self._random = random.Random(seed)  # no secret
        self.faults: list[Fault] = []

    def run(self, over: threading.Event) -> None:
        """Disturb until it is over; afterwards every part runs."""
        kinds = (self._kill, self._kill_one, self._freeze, self._restart)
        while not over.wait(self._pause_s * self._random.uniform(0.5, 1.5)):
            self._site.revive()
            part = self._random.choice(self._site.names)
            [kind] = self._random.choices(kinds, weights=(4, 3, 4, 1))
            kind(part, over)
        self._site.revive()

    def _note(self, kind: str, part: str) -> None:
        self.faults.append(Fault(kind, part, time.time()))

    def _kill(self, part: str, over: threading.Event) -> None:
        """Kill a part with all its processes; it is gone for up to two seconds."""
        self._note("killed", part)
        self._site.kill(part)
        over.wait(self._random.uniform(0, LONGEST_GONE_S))
        self._site.start(part, wait=False)

    def _kill_one(self, part: str, over: threading.Event) -> None:
        """Kill one process of a part, such as a child of the pool. What ends by that is started again."""
        if processes := self._site.pids(part):
            self._note("one process killed", part)
            self._site.kill_process(part, self._random.choice(processes))
            over.wait(self._random.uniform(0, LONGEST_GONE_S))
            self._site.revive()

    def _freeze(self, part: str, over: threading.Event) -> None:
        """Stop all processes of a part, and let them go on after a while."""
        processes = self._site.pids(part)
        self._note("frozen", part)
        for pid in processes:
            send(pid, signal.SIGSTOP)
        over.wait(self._random.uniform(1, LONGEST_FREEZE_S))
        for pid in processes:
            send(pid, signal.SIGCONT)

    def _restart(self, part: str, _over: threading.Event) -> None:
        """Stop a part in order, and start it again."""
        self._note("restarted", part)
        self._site.stop(part)
        self._site.start(part, wait=False)
