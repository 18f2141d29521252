"""Kills, freezes and restarts processes of the site at random, one after the other, some on top of another."""

import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.reliability.chaos.site import ONLY_ONES, Site, send

LONGEST_FREEZE_S = 12.0
LONGEST_GONE_S = 2.0
ON_TOP = 0.1
"""How many of the faults come before the site is back at work after the one before."""

LONGEST_WAIT_S, LOOK_S = 30.0, 0.25


@dataclass
class Fault:
    """A fault: which, of what, and when it began and ended (`time.time`). A killed part's ends with its start.

    is_one: no other fault was meant to come, and came, before the site was back at work.
    """

    kind: str
    part: str
    at: float
    end: float = 0.0
    is_one: bool = True

    @property
    def counted_from(self) -> float:
        """Return since when the site could be at work: no other part does the work of a frozen one that it has once."""
        return self.end if self.kind == "frozen" and self.part in ONLY_ONES else self.at


class Disturber:
    """Does one fault after the other until it is over. Only processes of the site are touched.

    pause_s: how long the site is left alone before a fault, on average. is_back: whether it has been at work since a
    time. Most faults wait until it is; some come on top.
    """

    def __init__(self, site: Site, pause_s: float, seed: int, is_back: Callable[[float], bool]) -> None:
        self._site = site
        self._pause_s = pause_s
        self._random = random.Random(seed)  # no secret
        self._is_back = is_back
        self._on_top = False
        self.faults: list[Fault] = []

    def run(self, over: threading.Event) -> None:
        """Disturb until it is over; afterwards every part runs."""
        kinds = (self._kill, self._kill_one, self._freeze, self._restart)
        while not over.wait(self._pause_s * self._random.uniform(0.5, 1.5)):
            self._site.revive()
            part = self._random.choice(self._site.names)
            [kind] = self._random.choices(kinds, weights=(4, 3, 4, 1))
            done = len(self.faults)
            kind(part, over)
            if len(self.faults) > done:
                self.faults[-1].end = time.time()
                self._on_top = self._random.random() < ON_TOP
                if not self._on_top:
                    self._wait_until_back(self.faults[-1], over)
        self._site.revive()

    def _wait_until_back(self, fault: Fault, over: threading.Event) -> None:
        until = time.monotonic() + LONGEST_WAIT_S
        while not self._is_back(fault.counted_from) and time.monotonic() < until:
            if over.wait(LOOK_S):
                return
            self._site.revive()

    def _note(self, kind: str, part: str) -> None:
        fault = Fault(kind, part, time.time())
        if self._on_top and not self._is_back(self.faults[-1].counted_from):
            fault.is_one = self.faults[-1].is_one = False
        self.faults.append(fault)

    def _kill(self, part: str, over: threading.Event) -> None:
        """Kill a part with all its processes; it is gone for up to two seconds."""
        self._note("killed", part)
        self._site.kill(part)
        over.wait(self._random.uniform(0, LONGEST_GONE_S))
        self._site.start(part, wait=False)

    def _kill_one(self, part: str, over: threading.Event) -> None:
        """Kill one process of a part, such as a child of the pool. What ends with it is started again."""
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
        over.wait(self._random.triangular(1, LONGEST_FREEZE_S, 1))
        for pid in processes:
            send(pid, signal.SIGCONT)

    def _restart(self, part: str, _over: threading.Event) -> None:
        """Stop a part in order, and start it again."""
        self._note("restarted", part)
        self._site.stop(part)
        self._site.start(part, wait=False)
