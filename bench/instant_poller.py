"""`python -m bench.instant_poller`: a poller whose generator and storage answer at once, in its own process.

What is left is the queue: dispatch, claims, outcomes, leases and messages, and for each job one small picture that is
decoded, encoded twice, and written to a storage that keeps nothing.
"""

import hashlib
import io
import sys

from PIL import Image

from poller.app import create_app
from shared.clients.storage import Storage
from shared.core import log
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorAddress,
    Phase,
    Progress,
    Result,
    Stop,
    never_stop,
)
from shared.services import Services

SIDE_PX = 64


class InstantGenerator:
    """A generator that has finished each request when it is asked."""

    synchronous = False
    waits = True  # so that it is asked at once

    def __init__(self, _address: GeneratorAddress) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE_PX, SIDE_PX), (40, 90, 160)).save(buffer, "PNG")
        self._picture = buffer.getvalue()

    def start(self, request: GenerationRequest) -> str:  # noqa: ARG002
        """Return the same id for every request."""
        return "1"

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop) -> Progress:  # noqa: ARG002
        """Return that it is finished."""
        return Progress(Phase.FINISHED)

    def result(self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop) -> Result:  # noqa: ARG002
        """Return the same picture for every request."""
        return Result(images=(self._picture,))

    def cancel(self, remote_id: str) -> None:
        """Do nothing."""

    def health(self) -> Capabilities:
        """Return no capabilities."""
        return Capabilities()

    def close(self) -> None:
        """Do nothing."""


class NoStorage(Storage):
    """A storage that keeps nothing, and answers with the MD5 of what it was given."""

    def put(self, key: str, data: bytes, content_type: str) -> str:  # noqa: ARG002
        """Return the object's MD5."""
        return hashlib.md5(data, usedforsecurity=False).hexdigest()


def main() -> None:
    """Run one worker with this many processes (the first argument) until a signal."""
    services = Services.from_environment()
    services.__dict__["storage"] = NoStorage(services.settings)
    log.configure("WARNING")
    app = create_app(services, connect=InstantGenerator)
    app.Worker(
        pool="prefork", concurrency=int(sys.argv[1]), without_mingle=True, without_gossip=True, quiet=True
    ).start()


if __name__ == "__main__":
    main()
