"""Waiting for the queue in a call, without a thread, and no longer than the client does."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from fastapi import Request

T = TypeVar("T")


async def wait_while_connected(future: Future[T], request: Request, timeout_s: float | None = None) -> T | None:
    """Return the future's result; None if the client disconnects or the time ends first. Its exceptions pass.

    If the future has not begun to run, it is cancelled when the call ends, however it ends.
    """
    result = asyncio.wrap_future(future)
    disconnected = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((result, disconnected), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return result.result() if result.done() else None
    finally:
        # Also when the server shuts down, which cancels the calls that still wait.
        disconnected.cancel()
        result.cancel()


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
