"""What looks at finished pictures before their owners get them: the interface, and finding one by its name."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from PIL import Image

from shared.core.setting_types import NUDITY

PROGRAM = "shared.images.checker_program"
"""The module that runs a checker in a process of its own."""

MAX_SIDE_PX = 640
"""The longer side of a picture as a checker gets it."""

MAX_MEMORY_BYTES = 1024 * 1024 * 1024
"""What that process may allocate; a detector's network takes a third of it."""

_FINDING = re.compile("[a-z][a-z0-9_]{0,39}")


class PictureChecker(Protocol):
    """Looks at one picture after the other. It is created once, in its own process, without Easel's settings."""

    def find_fault(self, picture: Image.Image) -> str | None:
        """Return a short code for what makes the picture unfit (`[a-z0-9_]`, 40 characters), None if nothing does.

        The picture is RGB, its longer side at most MAX_SIDE_PX.
        """


def load_checker(name: str) -> PictureChecker:
    """Create the checker of this name: `nudity`, or `package.module:factory`, which is called without arguments.

    Raises:
        Exception: Whatever its import or its creation raises.
    """
    module, _, factory = ("shared.images.nudity:NudityChecker" if name == NUDITY else name).partition(":")
    return cast(Callable[[], PictureChecker], getattr(import_module(module), factory))()


def check_finding(found: object) -> str | None:
    """Return what a checker has found. Raises ValueError if that is no code."""
    if found is None:
        return None
    if not (isinstance(found, str) and _FINDING.fullmatch(found)):
        raise ValueError("a finding is a short code")
    return found
