"""The work of one generation request: which images, in which order, with which share of the progress."""

from collections.abc import Callable
from dataclasses import dataclass

from generator.engines.base import Engine, ImageRequest, Pixels, ProgressReporter
from generator.images import decode_source, encode_png, fit, shrink
from generator.request import MAX_OUTPUT_PIXELS, GenerationRequest, ParameterError

MAX_FRAME_SIDE_PX = 768
"""Frames only show the progress: those of a larger image are scaled down."""

_UPSCALE_SHARE = 0.1

JobProgress = Callable[[float], None]
"""Takes the progress of a whole job, 0 to 1; raises `Stopped` to end it."""


@dataclass(frozen=True)
class Results:
    """What `/get_results` sends; images are PNG bytes."""

    imgs: list[bytes]
    descs: list[str]
    frames: list[bytes]

    @property
    def size_bytes(self) -> int:
        """Return how much memory the images take."""
        return sum(map(len, self.imgs)) + sum(map(len, self.frames))


Work = Callable[[Engine, JobProgress], Results]
"""What a job does with an engine; it can be pickled for another process. `Stopped` and the engine's errors pass."""


@dataclass(frozen=True)
class PreparedRequest:
    """A generation request that is ready to run: source images decoded from base64 and checked, seed fixed."""

    request: GenerationRequest
    source_images: list[bytes]
    seed: int

    @property
    def size_bytes(self) -> int:
        """Return how much memory the source images take while the request waits."""
        return sum(map(len, self.source_images))


def prepare(request: GenerationRequest, source_images: list[bytes]) -> PreparedRequest:
    """Check the source images (the encoded files of `request.imgs`) and the size of the outcome.

    Raises:
        BadImage: A source image is not an image.
        ParameterError: The outcome is too large.
    """
    sizes = [(pixels.shape[1], pixels.shape[0]) for pixels in map(decode_source, source_images)]
    if request.makes_pictures:
        outcome = [request.size_for(sizes[k % len(sizes)] if sizes else None) for k in range(request.count)]
    else:
        outcome = sizes
    if sum(width * height for width, height in outcome) * request.upscaling**2 > MAX_OUTPUT_PIXELS:
        raise ParameterError("ups", f"makes more than {MAX_OUTPUT_PIXELS} pixels of these pictures in all")
    ready = request.model_copy(update={"imgs": [], "n": request.count})
    return PreparedRequest(ready, source_images, request.first_seed())


def run_request(prepared: PreparedRequest, engine: Engine, progress: JobProgress) -> Results:
    """Make all images of a request. `Stopped` and the engine's errors pass."""
    request = prepared.request
    count = request.count if request.makes_pictures else len(prepared.source_images)
    imgs: list[bytes] = []
    descs: list[str] = []
    frames = _FrameRecorder(request.frames if request.makes_pictures else 0)
    for k in range(count):
        paint_share = 1 - _UPSCALE_SHARE if request.upscaling > 1 else 1.0
        report = share_of(progress, k / count, paint_share / count, frames)
        picture, image_request = _make_image(engine, prepared, k, report)
        if request.desc:
            descs.append(engine.describe(picture, image_request, request.description_options))
        if request.upscaling > 1:
            report = share_of(progress, (k + paint_share) / count, _UPSCALE_SHARE / count)
            picture = engine.upscale(picture, request.upscaling, report)
        elif request.strength < -1:
            continue
        imgs.append(encode_png(picture))
        # Only the first image's progress is recorded.
        frames.close(picture)
    return Results(imgs, descs, frames.frames)


def _make_image(
    engine: Engine, prepared: PreparedRequest, k: int, report: ProgressReporter
) -> tuple[Pixels, ImageRequest | None]:
    """Make image k before upscaling. Returns the image request too if every pixel comes from it."""
    request, sources = prepared.request, prepared.source_images
    source = decode_source(sources[k % len(sources)]) if sources else None
    if source is not None and not request.makes_pictures:
        return source, None
    size = request.size_for((source.shape[1], source.shape[0]) if source is not None else None)
    image_request = request.image_request(size, prepared.seed + k)
    if source is None:
        return engine.generate(image_request, report), image_request
    # How much of the prompt is in the image depends on the strength, so a description may use only the pixels.
    return engine.transform(fit(source, *size), image_request, request.strength, report), None


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
    progress: JobProgress, start: float, share: float, frames: _FrameRecorder | None = None
) -> ProgressReporter:
    """Return a reporter for one call of the engine, which is `share` of the whole job and begins at `start`."""

    def report(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        inside = min(1.0, max(0.0, done))
        progress(start + inside * share)
        if frames is not None:
            frames.record(inside, snapshot)

    return report
