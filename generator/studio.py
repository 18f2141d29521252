"""Where engines work: each worker has one in a process of its own.

An engine may hang in native code, take all memory or crash; then its process is ended and a new one begins, and the
service goes on answering. Two workers also use two cores, which threads of one process do only in part.
"""

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

from generator.engines.base import Engine, Equipment, Stopped
from generator.engines.registry import load_engine
from generator.work import Note, Results, Work

log = logging.getLogger("easel.generator")

LOOK_S = 0.1
"""How often a worker asks whether its job is still wanted while the engine is silent."""

GRACE_S = 5.0
"""How long an engine may take to notice that its job is not wanted any more."""

_REPORT_S = 0.05

# A forked process would inherit the locks of the server's threads.
_SPAWN = multiprocessing.get_context("spawn")


class EngineFailed(Exception):
    """The engine raised, or its process ended; the log says more."""


class Worker(Protocol):
    """One engine at work."""

    def prepare(self) -> None:
        """Return when the engine is loaded, however long that takes, or when it could not be."""

    def run(self, work: Work, note: Note) -> Results:
        """What the work brings. `note` hears of the progress, at least every 0.1 s, and may raise `Stopped`.

        Raises `Stopped`, once the engine has stopped too, and EngineFailed.
        """

    def close(self) -> None:
        """End the engine, also in the middle of a run."""


class Studio(Protocol):
    """Makes workers of one engine."""

    @property
    def engine(self) -> str:
        """The engine's name."""

    def worker(self) -> Worker:
        """One more worker."""

    def equipment(self) -> Equipment:
        """The equipment of the engine that told it last. Waits for the first one; raises EngineFailed."""


class ProcessStudio:
    """The engine of that name, in a process for each worker."""

    def __init__(self, engine: str, ready_within_s: float = 30.0) -> None:
        self.engine = engine
        self._ready_within_s = ready_within_s
        self._told = threading.Event()
        self._equipment: Equipment | None = None

    def worker(self) -> Worker:
        """One more worker; its process begins to load the engine at once."""
        return _ProcessWorker(self.engine, self._note_equipment)

    def equipment(self) -> Equipment:
        """The equipment of the engine that told it last. Waits for the first one; raises EngineFailed."""
        self._told.wait(self._ready_within_s)
        if self._equipment is None:
            raise EngineFailed
        return self._equipment

    def _note_equipment(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._told.set()


class _ProcessWorker:
    """A process that waits for work, with the line to it. `run` is for one thread, `close` for any."""

    def __init__(self, engine: str, tell: Callable[[Equipment], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._closed = threading.Event()
        self._start()

    def _start(self) -> None:
        self._line, far_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(far_end, self._engine), daemon=True)
        self._process.start()
        far_end.close()
        self._is_ready = False

    def prepare(self) -> None:
        """Return when the engine is loaded, or when its process ended instead: then `run` tells so."""
        try:
            if not self._is_ready:
                self._tell(self._line.recv()[1])
                self._is_ready = True
        except (EOFError, OSError):
            return

    def run(self, work: Work, note: Note) -> Results:
        """What the work brings. Raises Stopped and EngineFailed."""
        try:
            if not self._process.is_alive():
                self._replace("has ended")
            self._line.send(("work", work))
            return self._await(note)
        except Stopped:
            self._stop()
            raise
        except (EOFError, OSError) as error:
            self._replace("ended in the middle of a job")
            raise EngineFailed from error

    def _await(self, note: Note) -> Results:
        done = 0.0
        value: Any
        while True:
            kind, value = self._line.recv() if self._line.poll(LOOK_S) else ("progress", done)
            if kind == "equipment":
                self._tell(value)
            elif kind == "progress":
                done = value
                note(done)
            elif kind == "results":
                results: Results = value
                return results
            elif kind == "stopped":
                raise Stopped
            else:
                raise EngineFailed

    def _stop(self) -> None:
        """Tell the engine to stop, and wait until it has; one that does not is ended."""
        try:
            self._line.send(("stop", None))
            end = time.monotonic() + GRACE_S
            while self._line.poll(max(0.0, end - time.monotonic())):
                if self._line.recv()[0] in ("results", "stopped", "failed"):
                    return
        except (EOFError, OSError):
            pass
        self._replace("did not stop")

    def _replace(self, why: str) -> None:
        if self._closed.is_set():
            raise Stopped
        log.warning("the engine's process %s; a new one begins", why)
        self._end()
        self._start()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._line.close()

    def close(self) -> None:
        """End the process, also in the middle of a run."""
        self._closed.set()
        self._process.kill()
        self._process.join()


def _serve(line: Connection, name: str) -> None:
    """The process of one engine: a job after the other, until the other end of the line is closed."""
    # Ctrl-C reaches every process of a terminal; the service decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = load_engine(name)
    try:
        while True:
            line.send(("equipment", engine.equipment()))
            kind, work = line.recv()
            # A job that ended by itself just before it was told to stop.
            if kind == "work":
                line.send(_done(work, engine, line))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _done(work: Work, engine: Engine, line: Connection) -> tuple[str, Any]:
    reported = 0.0

    def note(done: float) -> None:
        nonlocal reported
        if line.poll():
            line.recv()
            raise Stopped
        if time.monotonic() - reported >= _REPORT_S:
            reported = time.monotonic()
            line.send(("progress", done))

    try:
        return "results", work(engine, note)
    except Stopped:
        return "stopped", None
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception:
        log.exception("the engine failed")
        return "failed", None
