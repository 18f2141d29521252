"""The processes that engines run in: one for each worker, or one for all if the engine shares its steps.

An engine may hang in native code, exhaust the memory or crash; then its process is replaced and the service keeps
answering. Two workers also use two cores, which threads of one process do only in part.
"""

import threading
from typing import Protocol

from generator.engine_process import POLL_S, EngineFailed, EngineProcess, ProcessEnded
from generator.engines.base import EngineStats
from generator.engines.registry import NoSuchEngine, find_engine
from generator.previews import Preview
from generator.work import JobProgress, Results, Work

SHARED_WORKERS = 32
"""Jobs at a time for an engine that shares its steps, unless the operator says otherwise."""

_TRIES = 3


class Worker(Protocol):
    """Runs one job at a time on an engine."""

    def prepare(self) -> None:
        """Wait until the engine is loaded, or could not be; there is no limit of time."""

    def run(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        """Run the work. `progress` is called at least every 0.1 s and may raise `Stopped`; `preview` gets previews.

        Raises:
            Stopped: `progress` raised it, and the engine has stopped too.
            EngineFailed: The engine failed.
        """

    def close(self) -> None:
        """End the engine, even during a run."""


class WorkerPool(Protocol):
    """Starts workers for one kind of job."""

    def start_worker(self) -> Worker:
        """Start one more worker."""


class EnginePool(WorkerPool, Protocol):
    """Starts workers of one engine."""

    @property
    def engine(self) -> str:
        """Return the engine's name."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """Return the protocol's extensions that this engine adds."""

    @property
    def schedulers(self) -> tuple[str, ...]:
        """Return the schedulers that a request may name."""

    @property
    def trainer(self) -> str | None:
        """Return what creates the engine's trainer, as `package.module:function`; None if it has none."""

    def stats(self) -> EngineStats:
        """Return the stats that an engine reported last. Waits for the first report.

        Raises:
            EngineFailed: No engine has reported in time.
        """

    def find_stats(self) -> EngineStats | None:
        """Return the stats that an engine reported last, None before the first report."""

    @property
    def is_loading(self) -> bool:
        """Return whether no worker can begin a job yet, because the engine is loading for each of them."""

    def loading_s(self) -> float | None:
        """Return about how many seconds the engine takes to load; None if it cannot say."""


class ProcessEnginePool:
    """Runs the engine of a name in separate processes."""

    def __init__(self, engine: str, ready_within_s: float = 30.0) -> None:
        self.engine = engine
        self._class = _class_of(engine)
        can = {
            "inpaint": "inpaint",
            "adapters": "takes_adapters",
            "control": "takes_control",
            "scene": "place",
            "scheduler": "schedulers",
            "train": "trainer",
        }
        self.trainer: str | None = getattr(self._class, "trainer", None)
        lacks: tuple[str, ...] = getattr(self._class, "unavailable", tuple)()
        self.extensions = tuple(
            name for name, attribute in can.items() if getattr(self._class, attribute, False) and name not in lacks
        )
        self.schedulers: tuple[str, ...] = getattr(self._class, "schedulers", ())
        self._shared: EngineProcess | None = None
        self._processes: list[EngineProcess] = []
        self._alone = threading.Lock()
        self._ready_within_s = ready_within_s
        self._reported = threading.Event()
        self._stats: EngineStats | None = None

    @property
    def workers(self) -> int:
        """Return how many workers suit the engine."""
        return SHARED_WORKERS if self._shares else 1

    @property
    def _shares(self) -> bool:
        return bool(getattr(self._class, "shared", False))

    def start_worker(self) -> Worker:
        """Start one more worker; its process, if it is a new one, begins to load the engine immediately."""
        if not self._shares:
            return self._started()
        self._shared = self._shared or self._started(shared=True)
        return _SharedWorker(self._shared, self._alone)

    def _started(self, *, shared: bool = False) -> EngineProcess:
        process = EngineProcess(self.engine, self._set_stats, shared)
        self._processes.append(process)
        return process

    def stats(self) -> EngineStats:
        """Return the stats that an engine reported last. Waits for the first report.

        Raises:
            EngineFailed: No engine has reported in time.
        """
        self._reported.wait(self._ready_within_s)
        if self._stats is None:
            raise EngineFailed
        return self._stats

    def find_stats(self) -> EngineStats | None:
        """Return the stats that an engine reported last, None before the first report."""
        return self._stats

    @property
    def is_loading(self) -> bool:
        """Return whether no worker can begin a job yet. An engine that could not be loaded is not loading."""
        return bool(self._processes) and all(process.is_loading for process in self._processes)

    def loading_s(self) -> float | None:
        """Return about how many seconds the engine takes to load; None if it cannot say."""
        expected = getattr(self._class, "loading_s", None)
        return expected() if expected else None

    def _set_stats(self, stats: EngineStats) -> None:
        self._stats = stats
        self._reported.set()


class _SharedWorker:
    """One of many callers of a process. A job whose process ends is run again, so that a crash costs only its cause.

    Nobody knows which of the jobs in a process that ended was the cause, so those that are run again take turns.
    """

    def __init__(self, process: EngineProcess, alone: threading.Lock) -> None:
        self._process = process
        self._alone = alone

    def prepare(self) -> None:
        """Wait until the engine is loaded, or could not be."""
        self._process.prepare()

    def run(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        """Run the work, up to three times if the process ends meanwhile.

        Raises:
            Stopped: `progress` raised it.
            EngineFailed: The engine failed.
        """
        try:
            return self._process.run(work, progress, preview)
        except ProcessEnded:
            pass
        self._wait_for_turn(progress)
        try:
            return self._run_again(work, progress, preview)
        finally:
            self._alone.release()

    def _wait_for_turn(self, progress: JobProgress) -> None:
        while not self._alone.acquire(timeout=POLL_S):
            progress(0.0)

    def _run_again(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        for _ in range(_TRIES - 2):
            try:
                return self._process.run(work, progress, preview)
            except ProcessEnded:
                continue
        return self._process.run(work, progress, preview)

    def close(self) -> None:
        """End the process of all workers."""
        self._process.close()


def _class_of(engine: str) -> object:
    """Return the engine's class; None if it cannot be imported here, which each worker then reports."""
    try:
        return find_engine(engine)
    except NoSuchEngine:
        return None
