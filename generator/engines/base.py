"""The interface of an engine.

The service owns the queue, the limits and the encoding; an engine owns pixels. An engine is a class with the methods of
`Engine`. Its package names it in the entry-point group `easel.engines`; an engine imports nothing else of the service.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An image: height x width x 3, RGB, 8 bit."""


Mask = NDArray[np.uint8]
"""Height x width, 8 bit: 255 is repainted, 0 stays, values between are mixed."""


@dataclass(frozen=True, eq=False)
class Control:
    """A picture that says where the forms of a new image are, as lines, depth or a pose."""

    picture: Pixels
    scale: float
    """How much it counts, 0 to 2; 1 is usual."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A place, and the pose in which a person is painted into it; pictures and masks are of one size."""

    background: Pixels
    pose: Pixels
    """A figure on an even ground: a mannequin, or the lines of its limbs."""

    pose_mask: Mask
    """Where the person may be."""

    face_mask: Mask | None = None
    """Where the person's face is."""

    pose_scale: float = 1.0
    """How much the pose counts, as `Control.scale`."""


_SEEN = 24


def figure_of(pose: Pixels) -> Mask:
    """Return where a pose differs from its ground, the colour that most of its edge has: 255, elsewhere 0."""
    edge = np.concatenate([pose[0], pose[-1], pose[:, 0], pose[:, -1]])
    differs = np.abs(pose.astype(np.int16) - np.median(edge, axis=0).astype(np.int16)).max(-1) > _SEEN
    return np.where(differs, np.uint8(255), np.uint8(0))


@dataclass(frozen=True)
class ImageRequest:
    """One image of a generation request, with its size and seed settled.

    A client's request may ask for several images and for upscaling; the service splits it, so that an engine sees one
    image at a time. Equal image requests give equal pixels on the same machine.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    scale: float
    """How closely to follow the prompt, 0 to 30; 7.5 is usual."""

    seed: int
    cpu: bool = False
    """Do not use the GPU."""

    adapters: tuple[tuple[str, float], ...] = ()
    """Adapters by the SHA-256 of their files (see `engines.adapter_files`), each with its weight."""

    scheduler: str = ""
    """One of the engine's `schedulers`; empty for the model's own."""

    control: Control | None = None
    """Only for engines that take one; of any size."""


@dataclass(frozen=True)
class DescriptionOptions:
    """How long and how detailed a description may be; the fields are the protocol's."""

    blip_max_len: int
    clip_max_len: int
    skip_clip: bool
    skip_list: tuple[str, ...]


@dataclass(frozen=True)
class ModelInfo:
    """The model that an engine has loaded, and the values that suit it where a request leaves them out.

    `revision` is a fingerprint of its weights: another one makes other pixels. `captioner` names the models that
    describe pictures, `scheduler` what takes the steps unless a request names another.
    """

    name: str
    device: str
    precision: str
    steps: int
    scale: float
    width: int
    height: int
    revision: str = ""
    captioner: str = ""
    scheduler: str = ""


@dataclass(frozen=True)
class EngineStats:
    """Size and memory of an engine's networks. Weights and biases count; 0 if no network takes part."""

    base_parameters: int
    """Parameters of the network behind `generate`."""

    upsample_parameters: int
    """Parameters of the network behind `upscale`."""

    gpu_allocated_bytes: int = 0
    """GPU memory in use by images and networks."""

    gpu_reserved_bytes: int = 0
    """GPU memory that the engine holds, including the part in use."""

    model: ModelInfo | None = None
    """None for an engine without a model of its own: then the protocol's defaults apply."""


@dataclass(frozen=True)
class TrainingOrder:
    """Photos of one subject that a model is to learn. Equal orders give equal adapters on the same machine."""

    photos: tuple[Pixels, ...]
    subject: str
    """What they show: `person`, `animal` or `object`."""

    steps: int
    rank: int
    seed: int
    folder: Path
    """Where the trainer keeps what it needs to go on after its process has ended, but never the photos: the next
    attempt gets them again. The service deletes the folder."""


@dataclass(frozen=True)
class Trained:
    """What a trainer returns."""

    adapter: bytes
    """A LoRA as a safetensors file that the engine takes."""

    report: dict[str, str | float]
    """At least `trigger`, the words by which prompts call the subject, `steps` and `seconds`."""


class Stopped(Exception):
    """Raised by a `ProgressReporter` when the image is not wanted any more. An engine lets it pass."""


class BadSetting(Exception):
    """What a setting names cannot be used; the message says why. `named` adds which setting it is."""

    variable = ""

    def __str__(self) -> str:
        """Return one line that names the environment variable."""
        said = super().__str__()
        return f"{self.variable}: {said}" if self.variable else said


@contextmanager
def named(variable: str) -> Iterator[None]:
    """Name the environment variable in errors that do not name one."""
    try:
        yield
    except BadSetting as error:
        error.variable = error.variable or variable
        raise


class CannotDo(Exception):
    """Raised by an engine that cannot do a job; the message is for the client."""


class NotNumbers(Exception):
    """Raised by an engine whose network returned NaN or infinity: there is no picture."""


class ProgressReporter(Protocol):
    """The callback through which an engine reports progress and learns that it must stop."""

    def __call__(self, done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        """Report how far the call is, 0 to 1, at least once a second.

        `snapshot` returns the image in its present state. It is called before this call returns or not at all, so it
        may read buffers that change later.

        Raises:
            Stopped: The job was cancelled or ran out of time.
        """


def unwatched(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
    """Ignore the progress: the reporter of a caller that waits for the image and never stops."""


class Engine(Protocol):
    """Makes pixels. It is created and used in one thread of a separate process; each worker of the service has one.

    A class with the attribute `shared = True` is created once for all workers, whose threads call its methods at the
    same time; so are the images of one request. It can then share the steps of its network between them. The attribute
    `loading_s`, a static function, may return about how many seconds the engine takes to load, or None. With
    `takes_adapters = True` requests may name adapters, with `takes_control = True` hold a control picture, with
    `schedulers`, a tuple of names, choose one of these. The static function `unavailable` may return the names of
    extensions that the engine lacks with its present settings. `upscaler` may name the network that enlarges its
    pictures, instead of `upscale`, where EASEL_UPSCALER names none (see `engines.upscaling`). `trainer`,
    `package.module:function`, names what creates its `Trainer`; the service then offers the extension `train`.
    The static function `check` may raise `BadSetting`, which ends the start of the service.
    """

    def stats(self) -> EngineStats:
        """Return the size of the networks and the GPU memory in use at this moment."""

    def generate(self, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Generate a new image of exactly the requested size."""

    def transform(self, source: Pixels, request: ImageRequest, strength: float, report: ProgressReporter) -> Pixels:
        """Generate an image from a source of the same size; strength 0 keeps the source, 1 ignores it."""

    def upscale(self, picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        """Enlarge an image to `factor` (2 to 4) times the pixels on each side."""

    def describe(self, picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
        """Describe an image in true words. `request` is None unless this engine generated the image from it."""


class InpaintingEngine(Engine, Protocol):
    """An engine that can also repaint a part of a picture; the service then offers the extension `inpaint`."""

    def inpaint(
        self, source: Pixels, mask: Mask, request: ImageRequest, strength: float, report: ProgressReporter
    ) -> Pixels:
        """Generate an image from a source and a mask of the same size; where the mask is 0, the source stays."""


class Trainer(Protocol):
    """Teaches the engine's model a subject. It is created for each training in a process that ends with it."""

    def stats(self) -> EngineStats:
        """Return the size of the networks and the GPU memory in use at this moment."""

    def train(self, order: TrainingOrder, report: Callable[[float], None]) -> Trained:
        """Train an adapter, from where an earlier attempt in the same folder ended if there was one.

        `report` takes the share that is done, 0 to 1. `Stopped` that it raises passes.

        Raises:
            CannotDo: The machine cannot do it; the message says why.
        """


class PlacingEngine(Engine, Protocol):
    """An engine that can paint a person into a place; the service then offers the extension `scene`."""

    def place(self, scene: Scene, request: ImageRequest, report: ProgressReporter) -> Pixels:
        """Paint a person into the background, which is of the request's size; where both masks are 0, it stays."""
