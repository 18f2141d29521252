"""Making the time-lapse of a job in another process, which may take only so much time and memory."""

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

import shared
from shared.images import codec, timelapse

LIMIT_S = 120.0
"""How long an encoder may take, and how long a step waits for its turn. On one core most take a second or two."""

_PROGRAM = [sys.executable, "-m", timelapse.__name__, str(timelapse.MAX_MEMORY_BYTES)]
_FOLDER = Path(shared.__path__[0]).parent

_turn = threading.Lock()
"""One encoder at a time in a process: its steps share a few cores."""

_log = logging.getLogger(__name__)


def make(frames: Sequence[bytes], picture: Image.Image) -> bytes | None:
    """Return the MP4 of the frames, oldest first, that ends with the finished picture; None if it cannot be made."""
    if not frames:
        return _failed("there are no frames")
    given = timelapse.pack([*frames, codec.small_png(picture, timelapse.MAX_SIDE_PX)])
    if not _turn.acquire(timeout=LIMIT_S):
        return _failed("too many are being made")
    try:
        # Without this process's environment, which has keys.
        done = subprocess.run(  # noqa: S603 # the program is Easel's
            _PROGRAM, input=given, capture_output=True, timeout=LIMIT_S, check=False, cwd=_FOLDER, env={}
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return _failed(type(error).__name__)
    finally:
        _turn.release()
    if done.returncode:
        return _failed(f"the encoder ended with {done.returncode}")
    if not 0 < len(done.stdout) <= timelapse.MAX_VIDEO_BYTES:
        return _failed(f"it has {len(done.stdout)} bytes")
    return done.stdout


def _failed(why: str) -> bytes | None:
    _log.warning("no time-lapse: %s", why)
    return None
