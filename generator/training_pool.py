"""Trainings run one at a time, each in a process that ends with it, and share a folder for what it must not lose."""

import fcntl
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from generator.engine_pool import Worker
from generator.engine_process import EngineFailed, EngineProcess, ProcessEnded
from generator.engines.base import BadSetting, EngineStats, Stopped, named
from generator.previews import Preview
from generator.work import JobProgress, Results, Work

TRIES = 3


class TrainingFolder:
    """A folder of this service alone. What services that have ended left behind is deleted when it is made."""

    def __init__(self, root: Path | None = None) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        root = root or Path(os.environ.get("EASEL_TRAINING") or cache / "easel" / "training").expanduser()
        try:
            self._begin(root)
        except OSError as error:
            with named("EASEL_TRAINING"):
                raise BadSetting(f"{root} cannot be written: {error.strerror}") from error
        self.path = self._own / "now"

    def _begin(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (root / "lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            for left in root.iterdir():
                if left.is_dir():
                    _delete_unless_used(left)
            self._own = Path(tempfile.mkdtemp(dir=root))
            # The lock of a process that ended is free, however it ended.
            self._lock = (self._own / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def clear(self) -> None:
        """Delete what the training kept."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._own, ignore_errors=True)
        self._lock.close()


def _delete_unless_used(folder: Path) -> None:
    with suppress(OSError), (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)


class TrainingPool:
    """Starts the worker of trainings; there is one at a time."""

    def __init__(self, trainer: str) -> None:
        self._trainer = trainer
        self.folder = TrainingFolder()

    def start_worker(self) -> Worker:
        """Start the worker. It has a process only during a training."""
        return _TrainingWorker(self._trainer, self.folder)


class _TrainingWorker:
    def __init__(self, trainer: str, folder: TrainingFolder) -> None:
        self._trainer = trainer
        self._folder = folder
        self._lock = threading.Lock()
        self._process: EngineProcess | None = None
        self._closed = False

    def prepare(self) -> None:
        """Do nothing: each training starts its own process."""

    def run(self, work: Work, progress: JobProgress, preview: Preview) -> Results:
        """Run a training, up to three times if its process ends meanwhile.

        Raises:
            Stopped: `progress` raised it, and the trainer has ended too.
            EngineFailed: The trainer failed.
        """
        with self._lock:
            if self._closed:
                raise Stopped
            process = self._process = EngineProcess(self._trainer, _ignore)
        try:
            for _ in range(TRIES):
                with suppress(ProcessEnded):
                    return process.run(work, progress, preview)
            raise EngineFailed(f"the training's process ended {TRIES} times")
        finally:
            process.close()
            self._folder.clear()

    def close(self) -> None:
        """End the training, if one runs, and delete its folder."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.close()
        self._folder.close()


def _ignore(_: EngineStats) -> None:
    return
