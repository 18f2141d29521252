"""The progress of a running command: one line that is rewritten on a terminal."""

from contextlib import suppress
from typing import TextIO

_BACK_AND_CLEAR = "\r\033[K"


class ProgressLine:
    """Shows the latest progress on one line of a terminal, and elsewhere each on a separate line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rewrites = out.isatty()
        self._last = ""

    def show(self, text: str) -> None:
        """Show the progress, unless it is the same as before."""
        if text == self._last:
            return
        self._last = text
        self._write(f"{_BACK_AND_CLEAR}{text}" if self._rewrites else f"{text}\n")

    def say(self, text: str) -> None:
        """Print a line that stays, below the progress."""
        self.close()
        self._write(f"{text}\n")

    def close(self) -> None:
        """End the line, so that the next output starts on a new one."""
        if self._rewrites and self._last:
            self._write("\n")
        self._last = ""

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the reader is gone; the work goes on
            self._out.write(text)
            self._out.flush()
