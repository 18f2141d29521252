"""The stack's output on the terminal."""

import re
import sys
import threading

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
NAME_WIDTH = 9
USUAL = re.compile(r'\{"at": ?"[^"]*", ?"level": ?"(info|debug)"')
"""The beginning of a log line that reports no problem."""


class Quiet:
    """A console that prints nothing; the base class of the one that does."""

    def line(self, name: str, text: str) -> None:
        """Show one line of a part's output. Called from the thread that reads it."""

    def ready(self, name: str, seconds: float) -> None:
        """Report that a part is ready, `seconds` after its start."""

    def say(self, text: str) -> None:
        """Show a sentence from the supervisor."""


class Console(Quiet):
    """Writes to standard output, with a colour for each part when that is a terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coloured = sys.stdout.isatty()
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Show the lines that may need attention; routine lines go only to the log files."""
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
        """Print a line, and ignore a closed terminal, which must not keep the parts from being stopped."""
        with self._lock:
            try:
                print(text, flush=True)
            except OSError:
                return
