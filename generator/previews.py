"""Small pictures of what is being made, for clients that ask: nothing is made otherwise."""

import io
import time

from PIL import Image

from generator.engines.base import Pixels
from generator.images import shrink

MAX_SIDE_PX = 256
PAUSE_S = 1.0
"""The shortest time between two previews of a job."""

KEPT_S = 5.0
"""An older preview does not show what the picture is like now."""


class Preview:
    """The preview of one job: asked for by its clients, made by its worker. Threads may share it."""

    def __init__(self) -> None:
        self._is_wanted = False
        self._next = float("-inf")
        self._made: tuple[float, bytes] | None = None

    def ask(self) -> bytes | None:
        """Ask for another preview; return the latest as WebP, each once, None if there is no recent one."""
        self._is_wanted = True
        made, self._made = self._made, None
        return made[1] if made is not None and time.monotonic() - made[0] <= KEPT_S else None

    def take_request(self) -> bool:
        """Return whether a preview should be made now; the caller then makes one."""
        if not self._is_wanted or time.monotonic() < self._next:
            return False
        self._is_wanted, self._next = False, time.monotonic() + PAUSE_S
        return True

    def put(self, data: bytes) -> None:
        """Take a preview that was made."""
        self._made = time.monotonic(), data


def encode_preview(pixels: Pixels) -> bytes:
    """Return a picture as a small WebP, at most about 50 KiB."""
    out = io.BytesIO()
    Image.fromarray(shrink(pixels, MAX_SIDE_PX)).save(out, "WEBP", quality=70, method=2)
    return out.getvalue()
