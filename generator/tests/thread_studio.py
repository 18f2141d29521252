"""Workers in threads of the test's own process, so that a test can hold its engine and look at it."""

import threading

from generator.engines.base import Engine, Equipment, Stopped
from generator.studio import LOOK_S, EngineFailed, Worker
from generator.work import Note, Results, Work


class ThreadStudio:
    """One engine for all workers."""

    engine = "fake"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def worker(self) -> Worker:
        return _ThreadWorker(self._engine)

    def equipment(self) -> Equipment:
        return self._engine.equipment()


class _ThreadWorker:
    """A thread cannot be ended: one that hangs is left behind."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """The engine is there."""

    def run(self, work: Work, note: Note) -> Results:
        outcome: list[Results | Exception] = []

        def attempt() -> None:
            try:
                outcome.append(work(self._engine, note))
            except Exception as error:
                outcome.append(error)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK_S)
            if thread.is_alive():
                note(0.0)
        if isinstance(outcome[0], Stopped):
            raise Stopped
        if isinstance(outcome[0], Exception):
            raise EngineFailed
        return outcome[0]

    def close(self) -> None:
        """There is nothing to end."""
