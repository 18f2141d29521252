"""The progress of a running command: one line that is rewritten on a terminal."""

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
        self._out.write(f"{_BACK_AND_CLEAR}{text}" if self._rewrites else f"{text}\n")
        self._out.flush()

    def say(self, text: str) -> None:
        """Print a line that stays, below the progress."""
        self.close()
        self._out.write(f"{text}\n")
        self._out.flush()

    def close(self) -> None:
        """End the line, so that the next output starts on a new one."""
        if self._rewrites and self._last:
            self._out.write("\n")
            self._out.flush()
        self._last = ""
