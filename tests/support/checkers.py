"""Picture checkers for tests: each real, small, and named by its import path as an operator's own would be."""

import os
import sys
from threading import Event

from PIL import Image, ImageStat


class Reddish:
    """Finds pictures that are mostly red, and prints much while it looks."""

    def find_fault(self, picture: Image.Image) -> str | None:
        sys.stdout.write(f"looking at {picture.size}\n")
        sys.stdout.flush()
        red, green, blue = ImageStat.Stat(picture).mean
        return "too_red" if red > 2 * (green + blue) else None


class Everything:
    """Finds something in every picture."""

    def find_fault(self, _picture: Image.Image) -> str | None:
        return "anything"


class Slow:
    """Never answers."""

    def find_fault(self, _picture: Image.Image) -> str | None:
        Event().wait()
        return None


class Dying:
    """Ends its process."""

    def find_fault(self, _picture: Image.Image) -> str | None:
        os._exit(3)


class Talking:
    """Answers with a sentence instead of a code."""

    def find_fault(self, _picture: Image.Image) -> str | None:
        return "This picture is not nice."


class Greedy:
    """Takes more memory than it may."""

    def find_fault(self, _picture: Image.Image) -> str | None:
        return str(len(bytearray(2 * 1024**3)))
