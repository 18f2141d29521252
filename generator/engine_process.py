"""One process that runs an engine, and the connection to it.

Calls have numbers, so that many threads may have work in one process: `EngineProcess` is the near end of the connection
and `_serve` the far one. A message is the number of a call (0 for none), a kind and its value.
"""

import itertools
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from generator.engines.base import BadSetting, CannotDo, Engine, EngineStats, Pixels, Stopped
from generator.engines.registry import load_engine
from generator.previews import Preview, encode_preview
from generator.work import JobProgress, Results, Work

log = logging.getLogger("easel.generator")

POLL_S = 0.1
"""How often a worker checks whether its job is still wanted while the engine is silent."""

GRACE_S = 5.0
"""How long an engine may take to stop after its job was cancelled."""

_REPORT_S = 0.05

# A forked process would inherit the locks of the server's threads.
_SPAWN = multiprocessing.get_context("spawn")

_Answers = queue.SimpleQueue[tuple[str, object]]

_LAST = ("results", "stopped", "failed", "gone")


class EngineFailed(Exception):
    """The engine raised, or its process ended; the log has the details. A message is for the client."""


class ProcessEnded(EngineFailed):
    """The process of an engine that had been loaded ended during the call."""


@dataclass(eq=False)
class _Running:
    """A process, the connection to it, and the calls that wait for its answers."""

    process: SpawnProcess
    connection: Connection
    answers: dict[int, _Answers] = field(default_factory=dict)
    decided: threading.Event = field(default_factory=threading.Event)
    sending: threading.Lock = field(default_factory=threading.Lock)
    loaded: bool = False
    ended: bool = False

    def send(self, number: int, kind: str, value: object) -> None:
        """Send a message; one to a process that has ended is lost, and its call learns of the end."""
        try:
            with self.sending:
                self.connection.send((number, kind, value))
        except OSError:
            return


class EngineProcess:
    """A process that runs an engine and is replaced when it ends or hangs. All methods are for any thread."""

    def __init__(self, engine: str, set_stats: Callable[[EngineStats], None], shared: bool = False) -> None:
        self._engine = engine
        self._set_stats = set_stats
        self._shared = shared
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False
        self._now = self._start()

    def _start(self) -> _Running:
        connection, far_end = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(far_end, self._engine, self._shared), daemon=True)
        process.start()
        far_end.close()
        running = _Running(process, connection)
        threading.Thread(target=self._read, args=(running,), name="generator-reader", daemon=True).start()
        return running

    def _read(self, running: _Running) -> None:
        """Hand each message to its call until the process ends."""
        try:
            while True:
                number, kind, value = running.connection.recv()
                if kind == "stats":
                    self._set_stats(value)
                    running.loaded = True
                    running.decided.set()
                elif (answers := running.answers.get(number)) is not None:
                    answers.put((kind, value))
        except (EOFError, OSError):
            pass
        with self._lock:
            running.ended = True
            running.connection.close()
            waiting = list(running.answers.values())
        running.decided.set()
        for answers in waiting:
            answers.put(("gone", None))

    def prepare(self) -> None:
        """Wait until the engine is loaded or its process has ended; in the latter case `run` raises."""
        self._now.decided.wait()

    @property
    def is_loading(self) -> bool:
        """Return whether the engine is still being loaded; False also once that has failed."""
        return not self._now.decided.is_set()

    def run(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        """Run the work in the process; it makes the previews that are asked for.

        Raises:
            Stopped: `progress` raised it, and the engine has stopped too.
            ProcessEnded: The process ended during the call.
            EngineFailed: The engine failed.
        """
        running, number, answers = self._begin()
        try:
            running.send(number, "work", work)
            return self._wait(running, number, progress, preview)
        except Stopped:
            self._stop(running, number, answers)
            raise
        finally:
            running.answers.pop(number, None)

    def _begin(self) -> tuple[_Running, int, _Answers]:
        with self._lock:
            if self._now.ended or not self._now.process.is_alive():
                self._replace("has ended")
            number, answers = next(self._numbers), _Answers()
            self._now.answers[number] = answers
            return self._now, number, answers

    def _wait(self, running: _Running, number: int, progress: JobProgress, preview: Preview) -> Results:
        answers, done = running.answers[number], 0.0
        while True:
            if preview.take_request():
                running.send(number, "preview", None)
            try:
                kind, value = answers.get(timeout=POLL_S)
            except queue.Empty:
                kind, value = "progress", done
            if kind == "progress":
                assert isinstance(value, float | int)
                done = value
                progress(done)
            elif kind == "preview":
                assert isinstance(value, bytes)
                preview.put(value)
            elif kind == "results":
                assert isinstance(value, Results)
                return value
            elif kind == "stopped":
                raise Stopped
            elif kind == "gone":
                self._replace_once(running, "ended during a job")
                raise ProcessEnded if running.loaded else EngineFailed
            else:
                raise EngineFailed(value or "")

    def _stop(self, running: _Running, number: int, answers: _Answers) -> None:
        """Ask the engine to stop the call and wait for that; replace the process if it does not."""
        running.send(number, "stop", None)
        end = time.monotonic() + GRACE_S
        try:
            while answers.get(timeout=max(0.0, end - time.monotonic()))[0] not in _LAST:
                pass
        except queue.Empty:
            self._replace_once(running, "did not stop")

    def _replace_once(self, running: _Running, why: str) -> None:
        """Replace this process unless another call has done so."""
        with self._lock:
            if self._now is running:
                self._replace(why)

    def _replace(self, why: str) -> None:
        """Start another process; the caller holds the lock. Raises Stopped when the service is closing."""
        if self._closed:
            raise Stopped
        log.warning("the engine's process %s; starting another", why)
        self._end()
        self._now = self._start()

    def _end(self) -> None:
        self._now.process.kill()
        self._now.process.join()

    def close(self) -> None:
        """End the process, even during a run."""
        with self._lock:
            self._closed = True
            self._end()


class _FarEnd:
    """The engine's end of the connection: it reads in a thread, so that a call learns at once that it must stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._stops: dict[int, threading.Event] = {}
        self._previews: set[int] = set()
        self.work: queue.SimpleQueue[tuple[int, Work] | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                number, kind, value = self._connection.recv()
                if kind == "work":
                    self._stops[number] = threading.Event()
                    self.work.put((number, value))
                elif kind == "preview":
                    self._previews.add(number)
                elif number in self._stops:
                    self._stops[number].set()
        except (EOFError, OSError):
            pass
        for stop in list(self._stops.values()):
            stop.set()
        self.work.put(None)

    def send(self, number: int, kind: str, value: object) -> None:
        """Send a message; one that is not received is lost."""
        try:
            with self._sending:
                self._connection.send((number, kind, value))
        except OSError:
            return

    def run(self, engine: Engine, number: int, work: Work) -> None:
        """Run the work of a call and send its outcome."""
        stop, reported = self._stops[number], 0.0

        def progress(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
            nonlocal reported
            if stop.is_set():
                raise Stopped
            if snapshot is not None and number in self._previews:
                self._previews.discard(number)
                self.send(number, "preview", encode_preview(snapshot()))
            if time.monotonic() - reported >= _REPORT_S:
                reported = time.monotonic()
                self.send(number, "progress", done)

        outcome: tuple[str, object]
        try:
            outcome = "results", work(engine, progress)
        except Stopped:
            outcome = "stopped", None
        except CannotDo as error:
            outcome = "failed", str(error)
        except Exception:
            log.exception("the engine failed")
            outcome = "failed", None
        del self._stops[number]
        self._previews.discard(number)
        self.send(0, "stats", engine.stats())
        self.send(number, *outcome)


def _serve(connection: Connection, name: str, shared: bool) -> None:
    """Run jobs on an engine until the other end of the connection is closed: in turn, or each in a thread if shared."""
    # Ctrl-C reaches every process of a terminal; the service decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    far_end = _FarEnd(connection)
    try:
        engine = load_engine(name)
    except BadSetting as error:
        log.error("the engine cannot be loaded: %s", error)
        return
    far_end.send(0, "stats", engine.stats())
    while (item := far_end.work.get()) is not None:
        if shared:
            threading.Thread(target=far_end.run, args=(engine, *item), daemon=True).start()
        else:
            far_end.run(engine, *item)
    if shared:
        # Threads inside native code cannot be joined.
        os._exit(0)
