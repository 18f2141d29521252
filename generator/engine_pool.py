"""The processes that engines run in, one for each worker.

An engine may hang in native code, exhaust the memory or crash; then its process is replaced and the service keeps
answering. Two workers also use two cores, which threads of one process do only in part.
"""

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Protocol

from generator.engines.base import Engine, EngineStats, Stopped
from generator.engines.registry import load_engine
from generator.work import JobProgress, Results, Work

log = logging.getLogger("easel.generator")

POLL_S = 0.1
"""How often a worker checks whether its job is still wanted while the engine is silent."""

GRACE_S = 5.0
"""How long an engine may take to stop after its job was cancelled."""

_REPORT_S = 0.05

# A forked process would inherit the locks of the server's threads.
_SPAWN = multiprocessing.get_context("spawn")

_Message = tuple[str, object]
"""What the two ends of a connection send: a kind and its value."""


class EngineFailed(Exception):
    """The engine raised, or its process ended; the log has the details."""


class Worker(Protocol):
    """One engine that runs one job at a time."""

    def prepare(self) -> None:
        """Wait until the engine is loaded, or could not be; there is no limit of time."""

    def run(self, work: Work, progress: JobProgress) -> Results:
        """Run the work. `progress` is called at least every 0.1 s and may raise `Stopped`.

        Raises:
            Stopped: `progress` raised it, and the engine has stopped too.
            EngineFailed: The engine failed.
        """

    def close(self) -> None:
        """End the engine, even during a run."""


class EnginePool(Protocol):
    """Starts workers of one engine."""

    @property
    def engine(self) -> str:
        """Return the engine's name."""

    def start_worker(self) -> Worker:
        """Start one more worker."""

    def stats(self) -> EngineStats:
        """Return the stats that an engine reported last. Waits for the first report.

        Raises:
            EngineFailed: No engine has reported in time.
        """


class ProcessEnginePool:
    """Runs the engine of a name in a separate process for each worker."""

    def __init__(self, engine: str, ready_within_s: float = 30.0) -> None:
        self.engine = engine
        self._ready_within_s = ready_within_s
        self._reported = threading.Event()
        self._stats: EngineStats | None = None

    def start_worker(self) -> Worker:
        """Start one more worker; its process begins to load the engine immediately."""
        return _EngineProcess(self.engine, self._set_stats)

    def stats(self) -> EngineStats:
        """Return the stats that an engine reported last. Waits for the first report.

        Raises:
            EngineFailed: No engine has reported in time.
        """
        self._reported.wait(self._ready_within_s)
        if self._stats is None:
            raise EngineFailed
        return self._stats

    def _set_stats(self, stats: EngineStats) -> None:
        self._stats = stats
        self._reported.set()


class _EngineProcess:
    """A process that runs an engine, and the connection to it. `run` is for one thread, `close` for any."""

    def __init__(self, engine: str, set_stats: Callable[[EngineStats], None]) -> None:
        self._engine = engine
        self._set_stats = set_stats
        self._closed = threading.Event()
        self._start()

    def _start(self) -> None:
        self._connection, far_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(far_end, self._engine), daemon=True)
        self._process.start()
        far_end.close()
        self._is_ready = False

    def prepare(self) -> None:
        """Wait until the engine is loaded or its process has ended; in the latter case `run` raises."""
        try:
            if not self._is_ready:
                self._handle_stats(self._connection.recv()[1])
                self._is_ready = True
        except (EOFError, OSError):
            return

    def run(self, work: Work, progress: JobProgress) -> Results:
        """Run the work in the process.

        Raises:
            Stopped: `progress` raised it, and the engine has stopped too.
            EngineFailed: The engine failed or its process ended.
        """
        try:
            if not self._process.is_alive():
                self._replace("has ended")
            self._connection.send(("work", work))
            return self._wait_for_results(progress)
        except Stopped:
            self._stop()
            raise
        except (EOFError, OSError) as error:
            self._replace("ended during a job")
            raise EngineFailed from error

    def _wait_for_results(self, progress: JobProgress) -> Results:
        done = 0.0
        while True:
            kind, value = self._connection.recv() if self._connection.poll(POLL_S) else ("progress", done)
            if kind == "stats":
                self._handle_stats(value)
            elif kind == "progress":
                done = value
                progress(done)
            elif kind == "results":
                assert isinstance(value, Results)
                return value
            elif kind == "stopped":
                raise Stopped
            else:
                raise EngineFailed

    def _handle_stats(self, value: object) -> None:
        assert isinstance(value, EngineStats)
        self._set_stats(value)

    def _stop(self) -> None:
        """Ask the engine to stop and wait for that; replace the process if it does not."""
        try:
            self._connection.send(("stop", None))
            end = time.monotonic() + GRACE_S
            while self._connection.poll(max(0.0, end - time.monotonic())):
                if self._connection.recv()[0] in ("results", "stopped", "failed"):
                    return
        except (EOFError, OSError):
            pass
        self._replace("did not stop")

    def _replace(self, why: str) -> None:
        if self._closed.is_set():
            raise Stopped
        log.warning("the engine's process %s; starting another", why)
        self._end()
        self._start()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def close(self) -> None:
        """End the process, even during a run."""
        self._closed.set()
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, name: str) -> None:
    """Run jobs on an engine, one after the other, until the other end of the connection is closed."""
    # Ctrl-C reaches every process of a terminal; the service decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = load_engine(name)
    try:
        while True:
            connection.send(("stats", engine.stats()))
            kind, work = connection.recv()
            # A "stop" here is for a job that had just ended.
            if kind == "work":
                connection.send(_run(work, engine, connection))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _run(work: Work, engine: Engine, connection: Connection) -> _Message:
    reported = 0.0

    def progress(done: float) -> None:
        nonlocal reported
        if connection.poll():
            connection.recv()
            raise Stopped
        if time.monotonic() - reported >= _REPORT_S:
            reported = time.monotonic()
            connection.send(("progress", done))

    try:
        return "results", work(engine, progress)
    except Stopped:
        return "stopped", None
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception:
        log.exception("the engine failed")
        return "failed", None
