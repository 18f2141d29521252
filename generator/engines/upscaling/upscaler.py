"""The upscaler: which network enlarges, in tiles, and an engine whose pictures it enlarges.

EASEL_UPSCALER names a network or a file, or `own` for the engine's own way. Without it the engine's default applies:
the one that its attribute `upscaler` names, if the packages for it are installed.
"""

import logging
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from PIL import Image

from generator.engines.base import BadSetting, Engine, EngineStats, Pixels, ProgressReporter, named
from generator.engines.upscaling.real_esrgan import MODELS, RealESRGAN, is_installed

log = logging.getLogger("easel.generator")

OWN = "own"

SUFFIX = ".safetensors"

_REPORT_S = 0.5

_REDUCTION_MARGIN_PX = 2
"""Pixels of the source beside a tile that its pixels may depend on when the result is made smaller again."""


class NoUpscaler(BadSetting):
    """The upscaler does not exist or is not installed; the message says which."""


class Network(Protocol):
    """What enlarges a picture. `run` is for any thread."""

    @property
    def scale(self) -> int:
        """Return by how much it enlarges each side."""

    @property
    def parameters(self) -> int:
        """Return how many weights and biases it has."""

    @property
    def tile_px(self) -> int:
        """Return the longest side of what it is given at once, without the margin."""

    @property
    def margin_px(self) -> int:
        """Return how many pixels around a tile it is given."""

    def run(self, pixels: Pixels) -> Pixels:
        """Enlarge a picture."""


class Upscaler:
    """Enlarges pictures with a network in tiles. For any thread: at a time it computes one tile for each core."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.parameters = network.parameters
        self._threads = ThreadPoolExecutor(os.cpu_count(), "upscaler")

    def enlarge(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        """Enlarge a picture to `factor` times the pixels on each side; resampling turns the network's scale into it."""
        height, width = picture.shape[:2]
        out = np.empty((height * factor, width * factor, 3), np.uint8)
        tiles = list(_tiles(height, width, self._network.tile_px))
        for number, tile in enumerate(tiles):
            begun = self._threads.submit(self._enlarge_tile, picture, tile, factor)
            try:
                while True:
                    try:
                        large = begun.result(_REPORT_S)
                        break
                    except TimeoutError:
                        report(number / len(tiles))
            finally:
                begun.cancel()
            out[tile.top * factor : tile.bottom * factor, tile.left * factor : tile.right * factor] = large
            report((number + 1) / len(tiles))
        return out

    def fit(self, picture: Pixels, width: int, height: int, report: ProgressReporter) -> Pixels:
        """Enlarge a picture to a size: once by the network, the rest by resampling."""
        wanted = max(width / picture.shape[1], height / picture.shape[0])
        large = self.enlarge(picture, min(self._network.scale, math.ceil(wanted)), report)
        return np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.LANCZOS))

    def _enlarge_tile(self, picture: Pixels, tile: "_Tile", factor: int) -> Pixels:
        around = tile.grown(self._network.margin_px + _REDUCTION_MARGIN_PX, *picture.shape[:2])
        source = picture[around.top : around.bottom, around.left : around.right]
        large = self._network.run(source)
        if factor != self._network.scale:
            size = (source.shape[1] * factor, source.shape[0] * factor)
            large = np.asarray(Image.fromarray(large).resize(size, Image.Resampling.LANCZOS))
        top, left = (tile.top - around.top) * factor, (tile.left - around.left) * factor
        return large[top : top + (tile.bottom - tile.top) * factor, left : left + (tile.right - tile.left) * factor]


@dataclass(frozen=True)
class _Tile:
    top: int
    bottom: int
    left: int
    right: int

    def grown(self, margin: int, height: int, width: int) -> "_Tile":
        return _Tile(
            max(0, self.top - margin),
            min(height, self.bottom + margin),
            max(0, self.left - margin),
            min(width, self.right + margin),
        )


def _tiles(height: int, width: int, longest: int) -> Iterator[_Tile]:
    """Cut a picture into tiles of about equal size. They depend on its size alone, and so do the pixels."""
    for top, bottom in _parts(height, longest):
        for left, right in _parts(width, longest):
            yield _Tile(top, bottom, left, right)


def _parts(length: int, longest: int) -> list[tuple[int, int]]:
    count = -(-length // longest)
    return [(length * k // count, length * (k + 1) // count) for k in range(count)]


class Enlarging:
    """An engine whose pictures are enlarged by an upscaler, not in its own way."""

    def __init__(self, engine: Engine, upscaler: Upscaler) -> None:
        self._engine = engine
        self._upscaler = upscaler

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def stats(self) -> EngineStats:
        """Return the engine's stats with the network's parameters."""
        return replace(self._engine.stats(), upsample_parameters=self._upscaler.parameters)

    def upscale(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        """Enlarge a picture."""
        return self._upscaler.enlarge(picture, factor, report)


def with_upscaler(engine: Engine) -> Engine:
    """Return the engine with the upscaler of the setting or its default, or as it is.

    Raises:
        NoUpscaler: The setting's upscaler does not exist or is not installed.
    """
    upscaler = chosen(getattr(engine, "upscaler", OWN))
    return engine if upscaler is None else cast("Engine", Enlarging(engine, upscaler))


def chosen(default: str = OWN) -> Upscaler | None:
    """Return the upscaler of the setting, else the default one; None for an engine's own way.

    Raises:
        NoUpscaler: The setting's upscaler does not exist or is not installed. A default one may be missing.
    """
    setting = os.environ.get("EASEL_UPSCALER", "").strip()
    name = setting or default
    if name == OWN:
        return None
    if not setting:
        return _load_if_installed(name)
    with named("EASEL_UPSCALER"):
        return _load(name)


def check(name: str | None = None) -> None:
    """Check that an upscaler, by default the setting's, exists and is installed.

    Raises:
        NoUpscaler: It does not, or is not.
    """
    name = name or os.environ.get("EASEL_UPSCALER", "").strip() or OWN
    if name == OWN:
        return
    name = os.path.expanduser(name)
    if name.endswith(SUFFIX):
        if find_spec("spandrel") is None:
            raise NoUpscaler(f"{name} needs the environment that `make diffusion` builds")
        if not os.path.isfile(name):
            raise NoUpscaler(f"{name} is not a file")
        return
    if name not in MODELS:
        choices = ", ".join([*MODELS, OWN])
        raise NoUpscaler(f"{name} is not an upscaler; set EASEL_UPSCALER to one of {choices}, or a file of {SUFFIX}")
    if not is_installed():
        raise NoUpscaler(f"the upscaler {name} is not installed here; `make upscaler` does that")


@cache
def _load(name: str) -> Upscaler:
    check(name)
    if not name.endswith(SUFFIX):
        return Upscaler(RealESRGAN(name))
    from generator.engines.upscaling.torch_model import TorchModel

    return Upscaler(TorchModel(Path(name).expanduser()))


@cache
def _load_if_installed(name: str) -> Upscaler | None:
    try:
        return _load(name)
    except NoUpscaler as error:
        log.warning("%s; until then pictures are enlarged by resampling", error)
        return None
