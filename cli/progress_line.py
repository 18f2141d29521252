"""What a running command says about itself: one line, rewritten on a terminal."""

from typing import TextIO

_BACK_AND_CLEAR = "\r\033[K"


class ProgressLine:
    """Shows the latest news on one line of a terminal; elsewhere each piece of news is a line of its own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rewrites = out.isatty()
        self._last = ""

    def show(self, text: str) -> None:
        """Say it, unless it was the last thing said."""
        if text == self._last:
            return
        self._last = text
        self._out.write(f"{_BACK_AND_CLEAR}{text}" if self._rewrites else f"{text}\n")
        self._out.flush()

    def say(self, text: str) -> None:
        """A line that stays, under whatever is shown."""
        self.close()
        self._out.write(f"{text}\n")
        self._out.flush()

    def close(self) -> None:
        """Leave the line, so that what comes next starts on a new one."""
        if self._rewrites and self._last:
            self._out.write("\n")
            self._out.flush()
        self._last = ""
