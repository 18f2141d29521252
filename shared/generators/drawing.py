"""What the clients share whose generators draw while their caller waits: between two calls there is nothing.

Such a protocol has no status, and mostly no ids. A request exists while a caller waits for its result.
"""

from shared.generators.base import Phase, Progress, Stop, never_stop
from shared.generators.transport import BoundedHttp

ONLY_ID = "image"
"""The id of every request, in protocols that have none."""


class DrawingClient:
    """A client of such a generator. Threads may share it; each time-out covers a whole answer."""

    synchronous = True
    waits = False

    def __init__(self, http: BoundedHttp) -> None:
        self._http = http

    def status(
        self,
        remote_id: str,  # noqa: ARG002
        *,
        wait_s: float = 0,  # noqa: ARG002
        stop: Stop = never_stop,  # noqa: ARG002
        preview: bool = False,  # noqa: ARG002
    ) -> Progress:
        """Return READY: every request can be drawn at any time."""
        return Progress(Phase.READY)

    def cancel(self, remote_id: str) -> None:
        """Do nothing: the request ends with the connection of `result`."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
