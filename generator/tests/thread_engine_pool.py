"""Workers in threads of the test process, so that a test can control and inspect the engine."""

import threading
from collections.abc import Callable

from generator.engine_pool import Worker
from generator.engine_process import POLL_S, EngineFailed
from generator.engines.base import Engine, EngineStats, Pixels, Stopped
from generator.previews import Preview, encode_preview
from generator.work import JobProgress, Results, Work


class ThreadEnginePool:
    """One engine for all workers."""

    engine = "fake"
    extensions = ()
    schedulers = ()
    trainer = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start_worker(self) -> Worker:
        return _ThreadWorker(self._engine)

    def stats(self) -> EngineStats:
        return self._engine.stats()

    def find_stats(self) -> EngineStats | None:
        return self._engine.stats()

    is_loading = False

    def loading_s(self) -> float | None:
        return None


class _ThreadWorker:
    """A worker thread. Threads cannot be killed: one that hangs is left behind."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """Do nothing: the engine already exists."""

    def run(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        outcome: list[Results | Exception] = []

        def report(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
            progress(done)
            if snapshot is not None and preview.take_request():
                preview.put(encode_preview(snapshot()))

        def attempt() -> None:
            try:
                outcome.append(work(self._engine, report))
            except Exception as error:
                outcome.append(error)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(POLL_S)
            if thread.is_alive():
                progress(0.0)
        if isinstance(outcome[0], Stopped):
            raise Stopped
        if isinstance(outcome[0], Exception):
            raise EngineFailed
        return outcome[0]

    def close(self) -> None:
        """Do nothing: there is no process to end."""
