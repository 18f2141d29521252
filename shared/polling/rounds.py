"""Rounds: what the worker processes of a site do from time to time, each round by one of them.

A process takes a round that is due with one statement, by the database's clock, which makes it due again a period
later. So rounds need neither the broker nor a worker's clock, and a process that dies in one delays it by a period.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.core.clock import SUSPECT_S, measure_skew_s
from shared.core.db import Database
from shared.notify.outbox_rows import DUE_OUTBOXES, Outbox
from shared.polling.patience import patient

LOOK_S = 1.0
"""How often a process looks for rounds that are due, and so the shortest useful period."""

COMPARE_S = 60.0
"""How often a process compares its clock with the database's. Nothing depends on it but the times in logs and mails."""

_log = logging.getLogger(__name__)

# Most looks find nothing due, and only read. Of processes that find the same round, the second one finds it taken.
_TAKE = text(f"""
WITH asked AS (
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:every_s AS float8[]), CAST(:outboxes AS text[]))
    AS list (name, every_s, outboxes)
), due_outboxes AS MATERIALIZED ({DUE_OUTBOXES})
INSERT INTO rounds AS r (name, due_at)
SELECT name, clock_timestamp() + make_interval(secs => every_s) FROM asked LEFT JOIN rounds known USING (name)
WHERE (known.due_at IS NULL OR known.due_at <= clock_timestamp())
    AND (outboxes = '' OR EXISTS (SELECT FROM due_outboxes WHERE outbox = ANY(string_to_array(outboxes, ','))))
ORDER BY name
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE r.due_at <= clock_timestamp()
RETURNING name
""")


@dataclass(frozen=True, slots=True)
class Round:
    """Work that is due `every_s` after it last began. It may take longer; then another process does the next.

    outboxes: if there are any, the round is due only while a message of one of them is.
    """

    name: str
    every_s: float
    work: Callable[[], object]
    outboxes: tuple[Outbox, ...] = ()


def take(connection: Connection, rounds: Sequence[Round]) -> list[str]:
    """Take those of these rounds that are due, and return their names. The caller must begin them immediately."""
    values = {
        "names": [entry.name for entry in rounds],
        "every_s": [entry.every_s for entry in rounds],
        "outboxes": [",".join(entry.outboxes) for entry in rounds],
    }
    return list(connection.execute(_TAKE, values).scalars())


class Rounds:
    """Does rounds, each in a thread of this process, until `stopping` is set. `alive` is called after each look."""

    def __init__(
        self,
        db: Database,
        rounds: Sequence[Round],
        stopping: threading.Event,
        alive: Callable[[], object] | None = None,
    ) -> None:
        self._db = db
        self._rounds = {entry.name: entry for entry in rounds}
        self._stopping = stopping
        self._alive = alive
        self._compared_at = -math.inf
        self._running: dict[str, threading.Thread] = {}
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin to look for rounds."""
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Start no more rounds, and wait up to `patience_s` for the running ones."""
        self._stopping.set()
        until = time.monotonic() + patience_s
        self._thread.join(patience_s)
        for thread in list(self._running.values()):
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            with patient("looking for rounds"):
                self._look()
            if self._alive:
                self._alive()

    def _look(self) -> None:
        """Begin the rounds that are due and not under way here."""
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        free = [entry for name, entry in self._rounds.items() if name not in self._running]
        if not free:
            return
        with self._db.statement() as connection:
            taken = take(connection, free)
            self._compare_clocks(connection)
        for name in taken:
            thread = threading.Thread(target=self._do, args=(self._rounds[name],), name=name, daemon=True)
            self._running[name] = thread
            thread.start()

    def _compare_clocks(self, connection: Connection) -> None:
        if time.monotonic() - self._compared_at < COMPARE_S:
            return
        self._compared_at = time.monotonic()
        skew_s = measure_skew_s(connection)
        if abs(skew_s) > SUSPECT_S:
            _log.warning("the database's clock is %.0f s ahead of this machine's; synchronise both", skew_s)

    def _do(self, entry: Round) -> None:
        with patient(entry.name):
            entry.work()
