"""The painter behind the engine's interface."""

import hashlib
from functools import partial

import numpy as np
from PIL import Image

from generator.engines.base import Brief, Pixels, Watch, Wording


class Painter:
    """Paints a scene from the words of a prompt."""

    name = "painter"

    def generate(self, brief: Brief, watch: Watch) -> Pixels:
        """A new picture of exactly the brief's size."""
        text = f"{brief.prompt}|{brief.negative_prompt}|{brief.seed}|{brief.scale}"
        rng = np.random.Generator(
            np.random.Philox(key=int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest()))
        )
        top, bottom = rng.random((2, 3), dtype=np.float32)
        y = np.linspace(0, 1, brief.height, dtype=np.float32)[:, None, None]
        canvas = np.broadcast_to(top * (1 - y) + bottom * y, (brief.height, brief.width, 3)).copy()
        for step in range(brief.steps):
            canvas += rng.normal(0, 0.02, canvas.shape).astype(np.float32)
            watch((step + 1) / brief.steps, partial(_pixels, canvas))
        return _pixels(canvas)

    def transform(self, source: Pixels, brief: Brief, strength: float, watch: Watch) -> Pixels:
        """A picture that starts from the source."""
        painted = self.generate(brief, watch).astype(np.float32)
        return (source * (1 - strength) + painted * strength).astype(np.uint8)

    def upscale(self, picture: Pixels, factor: int, watch: Watch) -> Pixels:
        """The picture with `factor` times the pixels on each side."""
        watch(0.0)
        size = (picture.shape[1] * factor, picture.shape[0] * factor)
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))

    def describe(self, picture: Pixels, brief: Brief | None, wording: Wording) -> str:
        """The picture's size and lightness."""
        del brief, wording
        light = "light" if picture.mean() > 127 else "dark"
        return f"a {light} picture"


def _pixels(canvas: "np.typing.NDArray[np.float32]") -> Pixels:
    return (np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8)
