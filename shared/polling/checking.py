"""Having finished pictures checked before they are stored, by a program that may take only so long."""

import json
import logging
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, cast

from PIL import Image

import shared
from shared.core.settings import Settings, library_path
from shared.images.checkers import MAX_SIDE_PX, PROGRAM
from shared.jobs.reasons import PICTURE_REJECTED

LIMIT_S = 10.0
"""How long a picture may take on a machine that is busy with other things."""

START_S = 60.0
"""How long it may take to load the checker."""

MAX_WAIT_S = 60.0
"""How long a picture waits for its turn: pictures are checked one after the other."""

PAUSE_S = 5.0
"""How long a checker that has failed is left alone."""

RETRY_S = 15.0
HELD_S = 8 * 3600.0
"""The pause before a held job's next try, and how long after it was sent there is another."""

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_FOLDER = Path(shared.__path__[0]).parent

_log = logging.getLogger(__name__)


class Rejected(Exception):
    """The checker has found what the site does not show."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.reason = PICTURE_REJECTED._replace(message=f"{PICTURE_REJECTED.message} ({found})")


class CheckerDown(Exception):
    """The checker does not work, and pictures that were not checked are not to be shown."""


class Checker:
    """Checks pictures for the steps of one process, in another process that is started at the first.

    when_down: what happens to pictures while it does not work: `allow`, `hold` or `refuse`.
    """

    def __init__(self, name: str, when_down: str) -> None:
        self.holds = when_down == "hold"
        self._allows = when_down == "allow"
        self._program = [sys.executable, "-m", PROGRAM, name]
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._paused_until = 0.0

    def check(self, picture: Image.Image) -> None:
        """Look at a picture.

        Raises:
            Rejected: It is not to be shown.
            CheckerDown: It could not be looked at, and is not to be shown without.
        """
        small = picture.convert("RGB")
        small.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        found = self._ask(struct.pack(">II", *small.size) + small.tobytes())
        if found is None:
            if not self._allows:
                raise CheckerDown
            _log.warning("a picture was not checked")
        elif found["found"]:
            _log.info("a picture was rejected: %s", found["found"])
            raise Rejected(found["found"])

    def is_down(self) -> bool:
        """Return whether it does not work, after trying to start it."""
        return self._ask(b"") is None

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def _ask(self, request: bytes) -> dict[str, Any] | None:
        """Return the answer, or an empty one to an empty request; None if the checker does not work."""
        if not self._turn.acquire(timeout=MAX_WAIT_S):
            return None
        try:
            if time.monotonic() < self._paused_until:
                return None
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._process = subprocess.Popen(  # noqa: S603 # the program is Easel's
                    self._program,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=_FOLDER,
                    env=library_path() | _ENVIRONMENT,  # without this process's, which has keys
                )
                self._exchange(self._process, b"", START_S)
            return self._exchange(self._process, request, LIMIT_S) if request else {}
        except (OSError, ValueError) as error:
            self._end()
            self._paused_until = time.monotonic() + PAUSE_S
            _log.warning("the picture checker does not work: %s", type(error).__name__)
            return None
        finally:
            self._turn.release()

    def _exchange(self, process: "subprocess.Popen[bytes]", request: bytes, limit_s: float) -> dict[str, Any]:
        """Send a request and return its answer. Raises OSError or ValueError if there is none in time."""
        watch = threading.Timer(limit_s, process.kill)
        watch.start()
        try:
            target = cast(IO[bytes], process.stdin)
            target.write(request)
            target.flush()
            return cast("dict[str, Any]", json.loads(cast(IO[bytes], process.stdout).readline()))
        finally:
            watch.cancel()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def make_checker(settings: Settings) -> Checker | None:
    """Return the site's checker, None without one."""
    name = settings.picture_checker
    return Checker(name, settings.picture_checker_down) if name else None
