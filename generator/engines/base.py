"""What the service asks of an engine.

The service owns the queue, the limits and the encoding; an engine owns pixels. A new engine is a module with one class
that has these methods, and one line in `generator.engines.registry`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: height x width x 3, RGB, 8 bit."""


@dataclass(frozen=True)
class Brief:
    """What one picture shall be. Equal briefs give equal pixels on the same machine."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    scale: float
    seed: int
    cpu: bool = False


@dataclass(frozen=True)
class Wording:
    """How long and how detailed a description may be; the fields are those of the protocol."""

    blip_max_len: int
    clip_max_len: int
    skip_clip: bool
    skip_list: tuple[str, ...]


@dataclass(frozen=True)
class Equipment:
    """What an engine works with now. Weights and biases count; 0 says that no network takes part."""

    base_parameters: int
    """Of the network behind `generate`."""

    upsample_parameters: int
    """Of the network behind `upscale`."""

    gpu_allocated_bytes: int = 0
    """Memory of the GPU in use by pictures and networks."""

    gpu_reserved_bytes: int = 0
    """Memory of the GPU that the engine keeps for itself, the part in use included."""


class Stopped(Exception):
    """Raised by `Watch`: nobody waits for this picture any more. An engine lets it pass."""


class Watch(Protocol):
    """The engine's line to the service."""

    def __call__(self, done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        """Tell how far the call is, 0 to 1, at least once a second.

        `snapshot` gives the picture as it stands; it is called at once or not at all, so it may look at buffers that
        change later. Raises `Stopped` when the job was cancelled or ran out of time.
        """


class Engine(Protocol):
    """It is made and used in one thread of a process of its own; each worker of the service has one."""

    def equipment(self) -> Equipment:
        """The networks in use and the memory of the GPU, as they are at the moment of the call."""

    def generate(self, brief: Brief, watch: Watch) -> Pixels:
        """A new picture of exactly the brief's size."""

    def transform(self, source: Pixels, brief: Brief, strength: float, watch: Watch) -> Pixels:
        """A picture of the brief's size that starts from a source of that size; strength 0 keeps it, 1 forgets it."""

    def upscale(self, picture: Pixels, factor: int, watch: Watch) -> Pixels:
        """The same picture with `factor` (2 to 4) times the pixels on each side."""

    def describe(self, picture: Pixels, brief: Brief | None, wording: Wording) -> str:
        """True words about a picture; the brief is there if this engine made the picture from it."""
