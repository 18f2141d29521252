"""What the stack tells the person in front of it."""

import re
import sys
import threading

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
NAME_WIDTH = 9
USUAL = re.compile(r'\{"at": "[^"]*", "level": "(info|debug)"')
"""How a line of Easel's log begins that tells of nothing wrong."""


class Quiet:
    """A console that says nothing; the base of the one that speaks."""

    def line(self, name: str, text: str) -> None:
        """One line of a part's output. Called from the thread that reads it."""

    def ready(self, name: str, seconds: float) -> None:
        """Report that a part works, seconds after it was started."""

    def say(self, text: str) -> None:
        """Report a sentence of the supervisor."""


class Console(Quiet):
    """Writes to standard output, with a colour for each part when that is a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coloured = sys.stdout.isatty()
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Only what may need somebody: a line for each request and each step would bury it. The log files have all."""
        if USUAL.match(text):
            return
        self._write(f"{self._label(name)} | {text}")

    def ready(self, name: str, seconds: float) -> None:
        """Print that a part works, and how long its start took."""
        self._write(f"{self._label(name)} ready in {seconds:.1f} s")

    def say(self, text: str) -> None:
        """Print a sentence without a label."""
        self._write(text)

    def _label(self, name: str) -> str:
        label = name.ljust(NAME_WIDTH)
        if not self._coloured:
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\033[{colour}m{label}\033[0m"

    def _write(self, text: str) -> None:
        """Print the text; a closed terminal must not keep the parts from being stopped."""
        with self._lock:
            try:
                print(text, flush=True)
            except OSError:
                return
