"""A request's way through a client, and the resulting pictures."""

import io
import threading
import time
from dataclasses import replace

from PIL import Image

from shared.generators.base import GenerationRequest, Generator, Phase, Result


def finish(generator: Generator, remote_id: str, seconds: float = 60) -> Phase:
    """Ask until the order has ended or waits to be drawn.

    The pauses grow with the time waited: several threads that ask at once take the processor from who draws.
    """
    pause = threading.Event()
    begin = time.monotonic()
    while (waited_s := time.monotonic() - begin) < seconds:
        phase = generator.status(remote_id).phase
        if phase in (Phase.FINISHED, Phase.FAILED, Phase.READY):
            return phase
        pause.wait(min(max(0.02, 0.1 * waited_s), 0.3))
    raise AssertionError("the order did not end")


def make(generator: Generator, wanted: GenerationRequest) -> Result:
    """Return the result of a request, from as many parts as the generator makes it in."""
    remote_id = generator.start(wanted)
    assert 1 <= len(remote_id) <= 128
    assert remote_id.isprintable()
    assert finish(generator, remote_id) is (Phase.READY if generator.synchronous else Phase.FINISHED)
    return drawn(generator, remote_id, wanted)


def drawn(generator: Generator, remote_id: str, wanted: GenerationRequest) -> Result:
    """Return the result of a request that can be fetched or drawn; one that has to be drawn may come in parts."""
    parts = [generator.result(remote_id, wanted)]
    while generator.synchronous and (done := sum(part.count for part in parts)) < wanted.count:
        parts.append(generator.result(remote_id, wanted.rest(done)))
    return replace(
        parts[-1],
        images=tuple(image for part in parts for image in part.images),
        descriptions=tuple(text for part in parts for text in part.descriptions),
    )


def decoded(result: Result, kind: str = "PNG") -> list[Image.Image]:
    """Return the decoded pictures, each of which must be a complete file of this kind."""
    images = []
    for data in result.images:
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            image.load()
            images.append(image.convert("RGB"))
    return images
