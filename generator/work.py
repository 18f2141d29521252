"""One order through an engine: which pictures, in which order, with which share of the progress."""

from collections.abc import Callable
from dataclasses import dataclass

from generator.engines.base import Brief, Engine, Pixels, Watch
from generator.images import decode_source, encode_png, fit, shrink
from generator.order import MAX_OUTPUT_PIXELS, Order, ParameterError

MAX_FRAME_SIDE_PX = 768
"""Frames are for watching the making: a larger picture's are sent smaller."""

_UPSCALE_SHARE = 0.1

Note = Callable[[float], None]
"""Takes the progress of a whole task, 0 to 1; raises `Stopped` to end it."""


@dataclass(frozen=True)
class Results:
    """What `/get_results` sends; pictures are PNG bytes."""

    imgs: list[bytes]
    descs: list[str]
    frames: list[bytes]

    @property
    def size_bytes(self) -> int:
        """What the pictures weigh in memory."""
        return sum(map(len, self.imgs)) + sum(map(len, self.frames))


Work = Callable[[Engine, Note], Results]
"""What a job does with an engine, as a value that can go to another process. Lets `Stopped` and the engine's errors
pass."""


@dataclass(frozen=True)
class Task:
    """An order made ready: sources decoded from base64 and proven to be pictures, seed fixed."""

    order: Order
    sources: list[bytes]
    seed: int

    @property
    def size_bytes(self) -> int:
        """What the task weighs while it waits."""
        return sum(map(len, self.sources))


def prepare(order: Order, sources: list[bytes]) -> Task:
    """Check the sources (the encoded files of `order.imgs`) and the size of the outcome.

    Raises BadImage for a source that is no picture and ParameterError for an outcome that is too large.
    """
    sizes = [(pixels.shape[1], pixels.shape[0]) for pixels in map(decode_source, sources)]
    if order.makes_pictures:
        outcome = [order.size_for(sizes[k % len(sizes)] if sizes else None) for k in range(order.n)]
    else:
        outcome = sizes
    if sum(width * height for width, height in outcome) * order.upscaling**2 > MAX_OUTPUT_PIXELS:
        raise ParameterError("ups", f"makes more than {MAX_OUTPUT_PIXELS} pixels of these pictures in all")
    slim = order.model_copy(update={"imgs": []})
    return Task(slim, sources, order.first_seed())


def carry_out(task: Task, engine: Engine, note: Note) -> Results:
    """All pictures of a task. Lets `Stopped` and whatever the engine raises pass."""
    order = task.order
    count = order.n if order.makes_pictures else len(task.sources)
    imgs: list[bytes] = []
    descs: list[str] = []
    film = _Film(order.frames)
    for k in range(count):
        paint_share = 1 - _UPSCALE_SHARE if order.upscaling > 1 else 1.0
        picture, brief = _picture(engine, task, k, part_of(note, k / count, paint_share / count, film))
        if order.desc:
            descs.append(engine.describe(picture, brief, order.wording))
        if order.upscaling > 1:
            picture = engine.upscale(
                picture, order.upscaling, part_of(note, (k + paint_share) / count, _UPSCALE_SHARE / count)
            )
        elif order.strength < -1:
            continue
        imgs.append(encode_png(picture))
        # Only the first picture's making is filmed.
        film.close(picture)
    return Results(imgs, descs, film.frames)


def _picture(engine: Engine, task: Task, k: int, watch: Watch) -> tuple[Pixels, Brief | None]:
    """Picture k before upscaling, and the brief it was made from if it is new."""
    order = task.order
    source = decode_source(task.sources[k % len(task.sources)]) if task.sources else None
    if source is not None and not order.makes_pictures:
        return source, None
    size = order.size_for((source.shape[1], source.shape[0]) if source is not None else None)
    brief = order.brief(size, task.seed + k)
    if source is None:
        return engine.generate(brief, watch), brief
    # The brief tells what was asked; whether it is in the picture depends on the strength, so only the pixels count.
    return engine.transform(fit(source, *size), brief, order.strength, watch), None


class _Film:
    """Takes a fixed number of pictures at even distances between nothing and done."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.frames: list[bytes] = []
        self.closed = wanted == 0

    def look(self, done: float, snapshot: Callable[[], Pixels] | None) -> None:
        due = min(self.wanted, int(done * (self.wanted + 1) + 1e-6))
        if self.closed or snapshot is None or due <= len(self.frames):
            return
        frame = encode_png(shrink(snapshot(), MAX_FRAME_SIDE_PX))
        # With more frames than steps, one step stands for several.
        self.frames += [frame] * (due - len(self.frames))

    def close(self, picture: Pixels) -> None:
        """The count is a promise: an engine without snapshots gets its finished picture instead."""
        if not self.closed and len(self.frames) < self.wanted:
            self.frames += [encode_png(shrink(picture, MAX_FRAME_SIDE_PX))] * (self.wanted - len(self.frames))
        self.closed = True


def part_of(note: Note, start: float, share: float, film: _Film | None = None) -> Watch:
    """A watch for one call of the engine, which is `share` of the whole and begins at `start`."""

    def part(done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        inside = min(1.0, max(0.0, done))
        note(start + inside * share)
        if film is not None:
            film.look(inside, snapshot)

    return part
