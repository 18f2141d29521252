"""`python -m bench.instant_poller`: a poller whose generator and storage answer at once, in its own process.

What is left is the queue: dispatch, claims, outcomes, leases and messages, and for each job one small picture that is
decoded, encoded twice, and written to a storage that keeps nothing. With `--no-pictures` a job's first step is its
last, and only the queue is left.
"""

import argparse
import hashlib
import io
import time
from collections.abc import Callable
from typing import Any

import redis
from PIL import Image

from bench.ground import Ground
from local.process import Part
from poller.app import create_app
from shared.clients.storage import Storage
from shared.core import log
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    Phase,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.polling import steps
from shared.polling.outcomes import Decision, Succeeded
from shared.polling.steps import ReadyToFetch, Step
from shared.services import Services

PROCESSES = 2
PLACES = 64
SIDE_PX = 64
STARTED = "instant:started"
"""The list in Redis of how long each job has waited, in seconds, by the clock of this machine."""


def instant_poller(ground: Ground, *options: str) -> list[Part]:
    """Return the parts that run it, with a generator of `PLACES` places."""
    env = {"EASEL_GENERATORS": f"img_generator+http://127.0.0.1:9/?max_in_flight={PLACES}"}
    return [ground.python("worker", "bench.instant_poller", *options, env=env)]


class InstantGenerator:
    """A generator that has finished each request when it is asked."""

    synchronous = False
    waits = True  # so that it is asked at once
    capabilities = Capabilities()

    def __init__(self, _address: GeneratorAddress) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE_PX, SIDE_PX), (40, 90, 160)).save(buffer, "PNG")
        self._picture = buffer.getvalue()

    def start(self, request: GenerationRequest) -> str:  # noqa: ARG002
        """Return the same id for every request."""
        return "1"

    def status(
        self,
        remote_id: str,  # noqa: ARG002
        *,
        wait_s: float = 0,  # noqa: ARG002
        stop: Stop = never_stop,  # noqa: ARG002
        preview: bool = False,  # noqa: ARG002
    ) -> Progress:
        """Return that it is finished."""
        return Progress(Phase.FINISHED)

    def result(
        self,
        remote_id: str,  # noqa: ARG002
        request: GenerationRequest,  # noqa: ARG002
        stop: Stop = never_stop,  # noqa: ARG002
        room: Room = no_room,  # noqa: ARG002
    ) -> Result:
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


def _succeed(_step: Step) -> Decision | ReadyToFetch:
    return Decision(Succeeded(()))


def _recorded(decide: Callable[[Step], Decision | ReadyToFetch], broker_url: str) -> Callable[[Step], Any]:
    """Return `decide` with a record, in `STARTED`, of how many seconds each job has waited for its first step."""
    started = redis.Redis.from_url(broker_url)

    def begin(step: Step) -> Decision | ReadyToFetch:
        if step.claim.remote_id is None:
            started.rpush(STARTED, time.time() - step.claim.created_at.timestamp())
        return decide(step)

    return begin


def main() -> None:
    """Run one worker until a signal."""
    parser = argparse.ArgumentParser(prog="python -m bench.instant_poller", description="Run an instant poller.")
    parser.add_argument("--no-pictures", action="store_true", help="end each job in its first step")
    services = Services.from_environment()
    decide = _succeed if parser.parse_args().no_pictures else steps.begin
    steps.__dict__["begin"] = _recorded(decide, services.settings.broker_url)
    services.__dict__["storage"] = NoStorage(services.settings)
    log.configure("WARNING")
    app = create_app(services, connect=InstantGenerator)
    app.Worker(pool="prefork", concurrency=PROCESSES, without_mingle=True, without_gossip=True, quiet=True).start()


if __name__ == "__main__":
    main()
