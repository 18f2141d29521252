"""Counting the lines that Easel executes, and acting before one of them: no hook in the product is needed.

`sys.monitoring` sees every thread of the process; before Python 3.12 `sys.settrace` does, in threads that are started
later and in the one that calls it.
"""

import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import CodeType, FrameType
from typing import Any

from tests.support.paths import ROOT

FOLDERS = tuple(f"{ROOT / name}/" for name in ("functions", "shared", "poller"))
"""Where Easel's own modules are."""

_EFFECTS = {
    "psycopg2.extensions": {"execute", "commit", "rollback"},
    "socket": {"send", "sendall"},
    "_socket": {"send", "sendall"},
    "_ssl": {"write"},
    "posix": {"replace", "rename", "write"},
}
"""Functions in C that show something to other processes, by the module of what they belong to."""

Act = Callable[[FrameType], bool]


class Lines:
    """The lines that this process has executed since the tracing began.

    at: the number of the line before which `act` is called, 0 for none; if it returns False, it is called before the
    next one again. What it raises, the line raises. seen: the places of lines, as `file:line`. effects: how many lines
    had begun at each effect, if effects are recorded.
    """

    def __init__(self, act: Act = lambda _: True, at: int = 0, *, records: bool = False) -> None:
        self._act = act
        self._at = at
        self._numbers = count(1)
        self._records = records
        self.executed = 0
        self.seen: set[str] = set()
        self.effects: list[int] = []

    @contextmanager
    def traced(self) -> Iterator[None]:
        """Count the lines of the block, in all threads that are started in it, too."""
        begin, end = (
            (self._begin_monitoring, self._end_monitoring)
            if hasattr(sys, "monitoring")
            else (self._begin_tracing, self._end_tracing)
        )
        if self._records:
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)
        begin()
        try:
            yield
        finally:
            end()
            if self._records:
                sys.setprofile(None)
                threading.setprofile(None)

    def _count(self, frame: FrameType, line: int) -> None:
        number = self.executed = next(self._numbers)
        if self._records:
            self.seen.add(f"{frame.f_code.co_filename.removeprefix(f'{ROOT}/')}:{line}")
        if 0 < self._at <= number:
            self._at = 0
            if not self._act(frame):
                self._at = number + 1

    def _profile(self, _frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            owner = getattr(function, "__self__", None)
            module = getattr(owner, "__name__", None) if hasattr(owner, "__loader__") else type(owner).__module__
            if function.__name__ in _EFFECTS.get(module or "", ()):
                self.effects.append(self.executed)

    def _begin_tracing(self) -> None:
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def _end_tracing(self) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        return self._trace_line if frame.f_code.co_filename.startswith(FOLDERS) else None

    def _trace_line(self, frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            self._count(frame, frame.f_lineno)
        return self._trace_line

    def _begin_monitoring(self) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 # older versions have none
        tool = monitoring.DEBUGGER_ID

        def see(code: CodeType, line: int) -> Any:
            if not code.co_filename.startswith(FOLDERS):
                return monitoring.DISABLE
            self._count(sys._getframe(1), line)
            return None

        monitoring.use_tool_id(tool, "easel lines")
        monitoring.register_callback(tool, monitoring.events.LINE, see)
        monitoring.set_events(tool, monitoring.events.LINE)

    def _end_monitoring(self) -> None:
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009
        monitoring.set_events(monitoring.DEBUGGER_ID, 0)
        monitoring.free_tool_id(monitoring.DEBUGGER_ID)


def ends_block(frame: FrameType) -> bool:
    """Return whether a `with` block is about to end: Python goes back to its first line for that.

    No exception comes there but one that another thread or a signal throws: the block is not left in order then.
    """
    line = frame.f_lineno
    if not linecache.getline(frame.f_code.co_filename, line).lstrip().startswith(("with ", "async with ")):
        return False
    begin = next(start for start, _, of_line in frame.f_code.co_lines() if of_line == line)
    return frame.f_lasti > begin
