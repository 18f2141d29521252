"""The work of one generation request: which images, in which order, with which share of the progress."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np

from generator.engines.base import (
    Control,
    Engine,
    ImageRequest,
    InpaintingEngine,
    NotNumbers,
    Pixels,
    PlacingEngine,
    ProgressReporter,
    Scene,
    Stopped,
)
from generator.images import BadImage, decode_base64, decode_source, encode_png, fit, shrink
from generator.request import EXTRA_PICTURES, MAX_OUTPUT_PIXELS, GenerationRequest, ParameterError
from generator.scenes import check_scene, decode_scene

MAX_FRAME_SIDE_PX = 768
"""Frames only show the progress: those of a larger image are scaled down."""

_UPSCALE_SHARE = 0.1

_BLACK = 2
"""No value of a black picture is above this."""

JobProgress = Callable[[float], None]
"""Takes the progress of a whole job, 0 to 1; raises `Stopped` to end it. The engine's side passes snapshots, too."""


@dataclass(frozen=True)
class TrainedAdapter:
    """An adapter that was trained: the hash of its file, and what the trainer measured."""

    sha256: str
    report: dict[str, str | float]


@dataclass(frozen=True)
class Results:
    """What `/get_results` sends; images are PNG bytes."""

    imgs: list[bytes]
    descs: list[str]
    frames: list[bytes]
    flags: list[list[str]] = field(default_factory=list)
    """What is wrong with each image: `nan` where the network failed, `black` where all is black."""

    trained: TrainedAdapter | None = None
    """The result of a training, which has no images."""

    @property
    def size_bytes(self) -> int:
        """Return how much memory the images take."""
        return sum(map(len, self.imgs)) + sum(map(len, self.frames))


Work = Callable[[Engine, ProgressReporter], Results]
"""What a job does with an engine; it can be pickled for another process. `Stopped` and the engine's errors pass."""


@dataclass(frozen=True)
class PreparedRequest:
    """A generation request that is ready to run: its pictures decoded from base64 and checked, seed fixed."""

    request: GenerationRequest
    source_images: list[bytes]
    seed: int
    extra: dict[str, bytes] = field(default_factory=dict)
    """The pictures of other parameters than `imgs`, by their names."""

    @property
    def size_bytes(self) -> int:
        """Return how much memory the pictures take while the request waits."""
        return sum(map(len, (*self.source_images, *self.extra.values())))

    def control(self) -> Control | None:
        """Decode the control picture if there is one."""
        data = self.extra.get("control")
        return None if data is None else Control(decode_source(data), self.request.control_scale)

    def scene(self) -> Scene | None:
        """Decode the pictures of a scene if there is one."""
        return decode_scene(self.extra, self.request.control_scale)


def prepare(request: GenerationRequest, source_images: list[bytes]) -> PreparedRequest:
    """Check the source images (the encoded files of `request.imgs`), the other pictures and the size of the outcome.

    Raises:
        BadImage: A source image is not an image.
        ParameterError: The outcome is too large, or another picture cannot be used or does not fit.
    """
    sizes = [(pixels.shape[1], pixels.shape[0]) for pixels in map(decode_source, source_images)]
    extra, extra_sizes = _extra_pictures(request)
    check_scene(request, extra, extra_sizes)
    if "mask" in extra and any(extra_sizes["mask"] != size for size in sizes):
        raise ParameterError("mask", "has another size than the pictures of imgs")
    if request.makes_pictures:
        own: list[tuple[int, int] | None] = [*sizes] or [extra_sizes.get("background")]
        outcome = [request.size_for(own[k % len(own)]) for k in range(request.count)]
    else:
        outcome = sizes
    if sum(width * height for width, height in outcome) * request.upscaling**2 > MAX_OUTPUT_PIXELS:
        raise ParameterError("ups", f"makes more than {MAX_OUTPUT_PIXELS} pixels of these pictures in all")
    ready = request.model_copy(update={"imgs": [], "n": request.count} | dict.fromkeys(EXTRA_PICTURES))
    return PreparedRequest(ready, source_images, request.first_seed(), extra)


def _extra_pictures(request: GenerationRequest) -> tuple[dict[str, bytes], dict[str, tuple[int, int]]]:
    """Return the encoded pictures of other parameters than `imgs`, and their sizes."""
    texts = {name: getattr(request, name) for name in EXTRA_PICTURES}
    extra = {name: decode_base64(text) for name, text in texts.items() if text is not None}
    sizes: dict[str, tuple[int, int]] = {}
    for name, data in extra.items():
        try:
            height, width = decode_source(data).shape[:2]
        except BadImage as error:
            raise ParameterError(name, f"holds something that {error}") from error
        sizes[name] = width, height
    return extra, sizes


def run_request(prepared: PreparedRequest, engine: Engine, progress: ProgressReporter) -> Results:
    """Make all images of a request, side by side if the engine is shared. `Stopped` and the engine's errors pass."""
    request = prepared.request
    count = request.count if request.makes_pictures else len(prepared.source_images)
    shares = _Shares(progress, count)
    frames = _FrameRecorder(request.frames if request.makes_pictures else 0)

    def make(k: int) -> _Made:
        # Only the first image's progress is recorded.
        with shares.part(k) as part:
            return _make(engine, prepared, k, part, frames if k == 0 else None)

    if count > 1 and getattr(engine, "shared", False):
        with ThreadPoolExecutor(count) as threads:
            made = list(threads.map(make, range(count)))
    else:
        made = [make(k) for k in range(count)]
    kept = [one for one in made if one.png is not None]
    return Results(
        [one.png for one in kept if one.png is not None],
        [one.description for one in made if one.description is not None],
        frames.frames,
        [one.flags for one in kept],
    )


@dataclass(frozen=True)
class _Made:
    """One image as PNG, None if it is not sent back; its description, None if none was wanted."""

    png: bytes | None
    description: str | None
    flags: list[str]


def _make(
    engine: Engine, prepared: PreparedRequest, k: int, progress: ProgressReporter, frames: "_FrameRecorder | None"
) -> _Made:
    request = prepared.request
    paint_share = 1 - _UPSCALE_SHARE if request.upscaling > 1 else 1.0
    picture, image_request, flags = _make_image(engine, prepared, k, share_of(progress, 0, paint_share, frames))
    description = engine.describe(picture, image_request, request.description_options) if request.desc else None
    if request.upscaling > 1:
        picture = engine.upscale(picture, request.upscaling, share_of(progress, paint_share, _UPSCALE_SHARE))
    elif request.strength < -1:
        return _Made(None, description, flags)
    if frames is not None:
        frames.close(picture)
    return _Made(encode_png(picture), description, flags)


def _make_image(
    engine: Engine, prepared: PreparedRequest, k: int, report: ProgressReporter
) -> tuple[Pixels, ImageRequest | None, list[str]]:
    """Make image k before upscaling, with its flags; the image request too if every pixel comes from it."""
    sources, scene = prepared.source_images, prepared.scene()
    source = decode_source(sources[k % len(sources)]) if sources else None
    if scene is not None:
        source = scene.background
    request = prepared.request.with_defaults(engine.stats().model, has_sources=source is not None)
    if source is not None and not request.makes_pictures:
        return source, None, []
    size = request.size_for((source.shape[1], source.shape[0]) if source is not None else None)
    image_request = request.image_request(size, prepared.seed + k, prepared.control())
    try:
        if scene is not None:
            picture = cast("PlacingEngine", engine).place(scene, image_request, report)
        else:
            picture = _paint(engine, prepared, image_request, source, report)
    except NotNumbers:
        return np.zeros((size[1], size[0], 3), np.uint8), None, ["nan", "black"]
    # How much of the prompt is in the image depends on the strength, so a description may use only the pixels.
    return picture, image_request if source is None else None, [] if picture.max() > _BLACK else ["black"]


def _paint(
    engine: Engine, prepared: PreparedRequest, request: ImageRequest, source: Pixels | None, report: ProgressReporter
) -> Pixels:
    if source is None:
        return engine.generate(request, report)
    size, strength = (request.width, request.height), prepared.request.strength
    if "mask" not in prepared.extra:
        return engine.transform(fit(source, *size), request, strength, report)
    mask = fit(decode_source(prepared.extra["mask"]), *size)[..., 1]
    return cast("InpaintingEngine", engine).inpaint(fit(source, *size), mask, request, strength, report)


class _Shares:
    """The progress of a job whose images are made in turn or side by side; when one fails, the others stop."""

    def __init__(self, progress: ProgressReporter, count: int) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._done = [0.0] * count
        self._failed = False

    @contextmanager
    def part(self, k: int) -> Iterator[ProgressReporter]:
        """Yield the progress of image k."""
        try:
            yield partial(self._report, k)
        except BaseException:
            self._failed = True
            raise
        self._done[k] = 1.0

    def _report(self, k: int, done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        if self._failed:
            raise Stopped
        with self._lock:
            self._done[k] = done
            self._progress(sum(self._done) / len(self._done), snapshot)


class _FrameRecorder:
    """Records a fixed number of frames at even distances between nothing and done."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.frames: list[bytes] = []
        self.closed = wanted == 0

    def record(self, done: float, snapshot: Callable[[], Pixels] | None) -> None:
        """Take the frames that are due at this progress, 0 to 1."""
        due = min(self.wanted, int(done * (self.wanted + 1) + 1e-6))
        if self.closed or snapshot is None or due <= len(self.frames):
            return
        frame = encode_png(shrink(snapshot(), MAX_FRAME_SIDE_PX))
        # With more frames than steps, one step fills several frames.
        self.frames += [frame] * (due - len(self.frames))

    def close(self, picture: Pixels) -> None:
        """Fill missing frames with the finished image, since an engine may send no snapshots; record no more."""
        if not self.closed and len(self.frames) < self.wanted:
            self.frames += [encode_png(shrink(picture, MAX_FRAME_SIDE_PX))] * (self.wanted - len(self.frames))
        self.closed = True


def share_of(
    progress: ProgressReporter, start: float, share: float, frames: _FrameRecorder | None = None
) -> ProgressReporter:
    """Return a reporter for one call of the engine, which is `share` of the whole job and begins at `start`."""

    def report(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        inside = min(1.0, max(0.0, done))
        progress(start + inside * share, snapshot)
        if frames is not None:
            frames.record(inside, snapshot)

    return report
