"""Measuring photos in a process that may take only so much time and memory."""

import json
import logging
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import shared
from shared.core.settings import library_path
from shared.images.photo_values import COUNT_FACES, MAX_MEMORY_BYTES, PROGRAM, PhotoMeasures

if TYPE_CHECKING:
    import shared.images.photo_measures  # only another process imports it; so the bundle has it

LIMIT_S = 30.0
"""How long a photo may take on a machine that is busy. Of processor time it may take `photo_measures.MAX_CPU_S`."""

_PROGRAM = [sys.executable, "-m", PROGRAM, str(MAX_MEMORY_BYTES)]
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""What counts faces uses numpy, whose memory for more threads would exceed the limit."""

_FOLDER = Path(shared.__path__[0]).parent

_log = logging.getLogger(__name__)


class Measurer:
    """Measures photos one after the other. A photo that ends the process is broken, and the next one gets another.

    With `faces` it counts faces, too, where the packages for that are installed.
    """

    def __init__(self, *, faces: bool = False) -> None:
        self._program = [*_PROGRAM, COUNT_FACES] if faces else _PROGRAM
        self._process: subprocess.Popen[bytes] | None = None

    def measure(self, data: bytes) -> PhotoMeasures | str:
        """Return the measures of a photo file, or the code of why it cannot be used."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        watch = threading.Timer(LIMIT_S, process.kill)
        watch.start()
        try:
            process.stdin.write(struct.pack(">I", len(data)) + data)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            watch.cancel()
        if not line:
            self.close()
            _log.warning("a photo could not be measured: the program ended with %s", process.returncode)
            return "picture_broken"
        found = json.loads(line)
        return str(found["code"]) if "code" in found else PhotoMeasures(**found)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # Without this process's environment, which has keys.
            self._process = subprocess.Popen(  # noqa: S603 # the program is Easel's
                self._program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_FOLDER,
                env=library_path() | _ONE_THREAD,
            )
        return self._process


@contextmanager
def measurer(*, faces: bool = False) -> Iterator[Measurer]:
    """Lend a measurer until the end of the block; with `faces` one that counts them, if it can."""
    lent = Measurer(faces=faces)
    try:
        yield lent
    finally:
        lent.close()
