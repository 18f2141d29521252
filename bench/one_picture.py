"""One picture of the painter: `python -m bench.one_picture SIDE STEPS UPS` (a SIDE of 0 only prepares).

It imports only the generator, so that the memory of the process is the generator's.
"""

import sys

from generator.engines.base import Engine
from generator.engines.registry import load_engine
from generator.images import encode_png
from generator.request import GenerationRequest


def paint(engine: Engine, prompt: str, side_px: int, steps: int, ups: int = 1) -> bytes:
    """Return a square picture as the service makes it: painted, upscaled, encoded as PNG."""
    image_request = GenerationRequest(prompt=prompt, steps=steps).image_request((side_px, side_px), seed=1)
    picture = engine.generate(image_request, _watch)
    return encode_png(engine.upscale(picture, ups, _watch) if ups > 1 else picture)


def _watch(done: float, snapshot: object = None) -> None:
    """Ignore the progress."""


if __name__ == "__main__":
    asked_side_px, asked_steps, asked_ups = map(int, sys.argv[1:])
    ready = load_engine("painter")
    if asked_side_px:
        paint(ready, "a lighthouse by the sea at sunset", asked_side_px, asked_steps, asked_ups)
