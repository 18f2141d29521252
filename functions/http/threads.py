"""Calls that wait for the database or the storage, in threads beside the event loop.

Starlette's thread pool takes ten times as long to hand a call over as this does, about as long as a short query.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

MOST_THREADS = 40
"""As many calls at once as in Starlette's pool."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[[], Any]
    context: Context
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"

    def run(self) -> None:
        try:
            result = self.context.run(self.function)
        except BaseException as error:  # the caller gets it
            self._report(self._fail, error)
        else:
            self._report(self._succeed, result)

    def _report(self, report: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile, and no caller waits any more
            self.loop.call_soon_threadsafe(report, what)

    def _succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Threads:
    """Threads that are started as they are needed, end with the process, and are used again."""

    def __init__(self, most: int = MOST_THREADS) -> None:
        self._most = most
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = self._unfinished = 0

    def run(
        self, function: Callable[Given, Result], *arguments: Given.args, **named: Given.kwargs
    ) -> Awaitable[Result]:
        """Call the function in a thread, with the context variables of the caller."""
        loop = asyncio.get_running_loop()
        call = _Call(lambda: function(*arguments, **named), copy_context(), loop, loop.create_future())
        with self._lock:
            self._unfinished += 1
            start = self._started < min(self._unfinished, self._most)
            self._started += start
        if start:
            threading.Thread(target=self._work, name="calls", daemon=True).start()
        self._calls.put(call)
        return call.done

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            call.run()
            with self._lock:
                self._unfinished -= 1


in_thread = Threads().run
