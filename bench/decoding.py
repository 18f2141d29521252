"""What the jail costs: decoding a generator's PNG in a process with limits, beside decoding it in this process."""

import time
from collections.abc import Callable, Iterator

from PIL import Image

from bench.ground import Ground
from bench.table import Bound, Row, in_turns
from shared.images import codec, decoding, jail

ROUNDS = 9
PICTURES = 20


def decode(_ground: Ground) -> Iterator[Row]:
    """Measure pictures of 512 and 1024 pixels with noise, which compress as little as detailed ones."""
    jail.lanes().generated.start()
    for side_px, most in ((512, 1.6), (1024, 1.4)):
        noise = Image.effect_noise((side_px, side_px), 60).convert("RGB")
        png = codec.small_png(noise, side_px)
        size = (side_px, side_px)
        figures = in_turns(
            _measuring(lambda png=png, size=size: codec.decode_picture(png, expected_size=size)),  # type: ignore[misc]
            _measuring(lambda png=png, size=size: decoding.decode_picture(png, expected_size=size)),  # type: ignore[misc]
            ROUNDS,
        )
        yield Row(f"decode a PNG of {side_px} px", "ms", *figures, "in the same process", Bound(most, at_most=True))


def _measuring(decode_one: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        for _ in range(PICTURES):
            decode_one()
        return (time.perf_counter() - began) / PICTURES * 1000

    return measure
