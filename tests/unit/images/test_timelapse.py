"""The video of a picture's making, as PyAV itself and the bytes of the file show it."""

import io
import random
from collections.abc import Sequence

import av
import pytest
from PIL import Image

from shared.core.limits import TIMELAPSE_FRAMES
from shared.images import timelapse
from shared.polling import timelapse as program

WHITE, RED = (255, 255, 255), (200, 30, 40)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def making(size: tuple[int, int], count: int) -> list[bytes]:
    """Return pictures that turn from white to red."""
    steps = [done / count for done in range(count)]
    return [png(Image.blend(Image.new("RGB", size, WHITE), Image.new("RGB", size, RED), done)) for done in steps]


def noise(size: tuple[int, int], count: int) -> list[bytes]:
    chance = random.Random(7)
    return [png(Image.frombytes("RGB", size, chance.randbytes(size[0] * size[1] * 3))) for _ in range(count)]


def boxes(video: bytes) -> list[bytes]:
    """Return the names of the file's outermost boxes (ISO 14496-12, 4.2)."""
    names, at = [], 0
    while at < len(video):
        names.append(video[at + 4 : at + 8])
        at += int.from_bytes(video[at : at + 4], "big")
    return names


def close_to(found: Sequence[int], wanted: Sequence[int]) -> bool:
    return all(abs(one - other) <= 8 for one, other in zip(found, wanted, strict=True))


def test_it_is_a_video_that_every_browser_plays() -> None:
    video = program.make(making((512, 512), 48), Image.new("RGB", (512, 512), RED))
    assert video is not None
    assert boxes(video)[0] == b"ftyp"
    assert boxes(video).index(b"moov") < boxes(video).index(b"mdat")
    with av.open(io.BytesIO(video), "r") as container:
        [stream] = container.streams
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")
        assert (stream.width, stream.height) == (512, 512)
        assert float(stream.average_rate or 0) == timelapse.FRAMES_PER_S
        assert container.duration == 7.5 * av.time_base
        frames = [frame.to_image() for frame in container.decode(stream)]  # type: ignore[no-untyped-call]
    assert len(frames) == 60
    assert close_to(frames[0].getpixel((256, 256)), WHITE)
    assert close_to(frames[-1].getpixel((256, 256)), RED)


def test_the_least_compressible_pictures_stay_below_the_limit() -> None:
    frames = noise((256, 256), TIMELAPSE_FRAMES) + noise((256, 256), 200)
    [last] = noise((256, 256), 1)
    video = timelapse.encode([*frames, last])
    assert 1_000_000 < len(video) < timelapse.MAX_VIDEO_BYTES
    with av.open(io.BytesIO(video), "r") as container:
        assert container.duration is not None
        assert container.duration <= 8 * av.time_base, "too many frames are left out"


@pytest.mark.parametrize(
    ("picture", "video"),
    [
        ((512, 512), (512, 512)),
        ((768, 432), (768, 432)),
        ((432, 768), (432, 768)),
        ((1024, 1024), (768, 768)),
        ((2048, 64), (768, 24)),
        ((72, 2048), (28, 768)),
        ((8192, 8), (768, 2)),
    ],
)
def test_its_sides_are_even_and_not_too_long(picture: tuple[int, int], video: tuple[int, int]) -> None:
    assert timelapse.video_size(*picture) == video


@pytest.mark.parametrize("frame", [b"", b"junk", b"\x89PNG\r\n\x1a\n" + bytes(30)], ids=["empty", "junk", "cut off"])
def test_a_broken_frame_costs_the_video(frame: bytes) -> None:
    assert program.make([*making((64, 64), 2), frame], Image.new("RGB", (64, 64), RED)) is None


def test_without_frames_there_is_no_video() -> None:
    assert program.make([], Image.new("RGB", (64, 64), RED)) is None


def test_an_encoder_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LIMIT_S", 0.01)
    assert program.make(making((64, 64), 2), Image.new("RGB", (64, 64), RED)) is None


def test_an_encoder_that_takes_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    size = (4096, 4096)  # 200 MB with what resizing needs, of which the program may have 64
    monkeypatch.setattr(program, "_PROGRAM", [*program._PROGRAM[:-1], str(64 * 1024 * 1024)])
    assert program.make([png(Image.new("RGB", size, RED))] * 3, Image.new("RGB", (768, 768), RED)) is None
