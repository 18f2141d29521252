"""The jail: what a picture may take, and that another process takes the place of one that a picture ended.

The pictures are ordinary; where one is too much, the test has lowered what it may take.
"""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.core.errors import Unavailable
from shared.images import codec, decoding, jail
from shared.images.jail import Exceeded, Jail, Lane, Lanes, Limits, Read
from shared.images.source_rules import MAX_SIDE_PX, PictureError, check_picture_size, check_source_size
from tests.support.waiting import until
from tests.unit.images.test_codec import NOISE, PAINTED, chunk, saved

SOURCE: dict[str, object] = {"task": "source", "max_side_px": 2048, "own": False}
PICTURE: dict[str, object] = {"task": "picture", "expected_size": None}
LARGE = saved(PAINTED.resize((1500, 1500)))
LITTLE_MEMORY = 24 * 1024 * 1024

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="this system has no such limit, or no /proc")


def pixels(found: dict[str, Any], read: Read) -> bytes:
    width, height = found["size"]
    received = bytearray(3 * width * height)
    read(memoryview(received))
    return bytes(received)


@pytest.fixture
def one() -> Iterator[Jail]:
    jail = Jail()
    yield jail
    jail.close()


def lanes_of(monkeypatch: pytest.MonkeyPatch, *lanes: Lane) -> Iterator[Lanes]:
    found = Lanes(*lanes)
    monkeypatch.setitem(jail._by_process, os.getpid(), found)
    yield found
    found.close()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lanes]:
    """Lanes in which a large picture is too much."""
    limits = Limits(LITTLE_MEMORY)
    yield from lanes_of(monkeypatch, Lane(1, limits), Lane(1, limits), Lane(1, limits))


def assert_replaced(one: Jail, ended: int | None) -> None:
    """Check that another process answers right after one ended."""
    assert one.process_id not in (None, ended)
    assert one.ask(PICTURE, saved(PAINTED), Limits(), pixels) == PAINTED.tobytes()


def test_one_process_decodes_many_pictures(one: Jail) -> None:
    one.start()
    first = one.process_id
    for task in (PICTURE, SOURCE, PICTURE):
        assert one.ask(task, saved(PAINTED), Limits(), pixels) == PAINTED.tobytes()
    assert one.process_id == first


def test_a_refusal_does_not_end_the_process(one: Jail) -> None:
    one.start()
    first = one.process_id
    found = one.ask(SOURCE, saved(NOISE, "JPEG")[:-500], Limits(), lambda found, _: found)
    assert (found["code"], one.process_id) == ("picture_broken", first)


def test_slow_pictures_of_several_processes_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each opening of a file has a lock of its own, so two lanes here are like those of two processes.
    one, other = (Lane(1, Limits(), alone=True) for _ in range(2))
    waits, sleep = threading.Event(), time.sleep

    def notice(seconds: float) -> None:
        waits.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", notice)

    def use() -> bool:
        with other.jail():
            return waits.is_set()

    with ThreadPoolExecutor(1) as threads:
        with one.jail():
            used = threads.submit(use)
            assert waits.wait(30)
            assert not used.done()
        assert used.result(30)


@linux
def test_a_picture_that_needs_too_much_memory_is_ended(one: Jail) -> None:
    with pytest.raises(Exceeded):
        one.ask(PICTURE, LARGE, Limits(LITTLE_MEMORY), pixels)
    assert_replaced(one, None)


def test_a_picture_that_needs_too_much_time_is_ended(one: Jail) -> None:
    one.start()
    first = one.process_id
    with pytest.raises(Exceeded):
        one.ask(PICTURE, LARGE, Limits(cpu_s=0.002), pixels)
    assert_replaced(one, first)


def test_an_answer_of_another_size_ends_the_process(one: Jail) -> None:
    one.start()
    first = one.process_id

    def receive(found: dict[str, Any], _read: Read) -> None:
        assert found["size"] == [64, 48]
        raise Exceeded("larger than asked for")

    with pytest.raises(Exceeded):
        one.ask(PICTURE, saved(PAINTED), Limits(), receive)
    assert_replaced(one, first)


def test_a_process_that_is_killed_within_a_picture_is_replaced(one: Jail) -> None:
    one.start()
    first = one.process_id
    assert first is not None

    def receive(found: dict[str, Any], read: Read) -> None:
        os.kill(first, signal.SIGKILL)  # the pipe holds 1 MB of the 6.75 MB
        pixels(found, read)

    with pytest.raises(Exceeded):
        one.ask(PICTURE, LARGE, Limits(), receive)
    assert_replaced(one, first)


def test_a_process_that_died_between_pictures_is_replaced(one: Jail) -> None:
    one.start()
    first = one.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert one.ask(PICTURE, saved(PAINTED), Limits(), pixels) == PAINTED.tobytes()
    assert_replaced(one, first)


def test_a_process_that_never_answers_is_replaced(one: Jail) -> None:
    one.start()
    first = one.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(Exceeded):
        one.ask(PICTURE, saved(PAINTED), Limits(wall_s=0.1), pixels)
    assert_replaced(one, first)


def test_a_machine_that_starts_no_process_is_unavailable(one: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        with pytest.raises(Unavailable):
            one.ask(PICTURE, saved(PAINTED), Limits(), pixels)
    assert one.ask(PICTURE, saved(PAINTED), Limits(), pixels) == PAINTED.tobytes()


@linux
def test_a_users_picture_that_is_too_much_is_broken(narrow: Lanes) -> None:
    with pytest.raises(PictureError) as caught:
        codec.source_png(LARGE)
    assert (caught.value.code, caught.value.damaged) == ("picture_broken", True)
    assert codec.decode_source(saved(PAINTED)).tobytes() == PAINTED.tobytes()


@linux
def test_a_generators_picture_that_is_too_much_is_broken(narrow: Lanes) -> None:
    with pytest.raises(PictureError) as caught:
        codec._generated(PICTURE, LARGE, narrow.generated.limits, pixels)
    assert caught.value.code == "picture_broken"


def test_a_picture_that_is_not_quick_is_decoded_among_the_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = Lane(1, Limits(cpu_s=0.002))
    for found in lanes_of(monkeypatch, Lane(1, Limits()), hasty, Lane(1, Limits())):
        assert codec.decode_source(LARGE).size == (1500, 1500)
        with found.slow.jail() as used, found.generated.jail() as unused:
            assert (used.process_id is None, unused.process_id) == (False, None)


def test_pictures_of_generators_do_not_wait_for_those_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in lanes_of(monkeypatch, *(Lane(1, Limits(), max_wait_s=0.01) for _ in range(3))):
        with found.quick.jail(), found.slow.jail():
            assert codec.decode_picture(saved(PAINTED), expected_size=(64, 48)).size == (64, 48)
            with pytest.raises(Unavailable):
                codec.decode_source(saved(PAINTED))


@linux
def test_the_process_has_no_variables_and_no_files_of_its_parent(one: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DATABASE_URL", "postgresql://secret")
    with open(__file__, encoding="utf-8"):
        one.ask(PICTURE, saved(PAINTED), Limits(), pixels)
    process = Path(f"/proc/{one.process_id}")
    assert b"EASEL" not in process.joinpath("environ").read_bytes()
    assert {entry.name for entry in process.joinpath("fd").iterdir()} == {"0", "1", "2"}


@linux
def test_the_process_ends_with_its_parent() -> None:
    program = """
import os, signal
from shared.images.jail import Jail
jail = Jail()
jail.start()
print(jail.process_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    process = Path(f"/proc/{int(done.stdout)}")
    until(lambda: not _lives(process), "the process in the jail has ended")


def _lives(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_forked_process_has_lanes_of_its_own() -> None:
    ours = jail.lanes()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"same" if jail.lanes() is ours else b"other")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"other"
    assert jail.lanes() is ours


def test_the_largest_upload_fits() -> None:
    """It is written row by row here, so that this process does not need its memory."""
    width, height = 8192, 6144
    deflate = zlib.compressobj(1)
    row = b"\0" + b"\x20\x40\x60\xff" * width
    content = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = b"".join((saved(PAINTED)[:8], chunk(b"IHDR", header), chunk(b"IDAT", content), chunk(b"IEND", b"")))
    image = codec.decode_source(data)
    assert (image.size, image.getpixel((1000, 1000))) == ((2048, 1536), (0x20, 0x40, 0x60))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "I;16"])
def test_a_picture_in_strips_has_the_pixels_of_one_that_is_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.effect_noise((96, 80), 90)
    image = noise.convert("I").point(lambda value: value * 256).convert("I;16") if mode == "I;16" else noise
    data = saved(image.convert(mode))
    whole = decoding.decode_picture(data, expected_size=(96, 80))
    small = decoding.decode_source(data, max_side_px=32)
    monkeypatch.setattr(decoding, "_STRIP_PIXELS", 96 * 7)
    assert decoding.decode_picture(data, expected_size=(96, 80)).tobytes() == whole.tobytes()
    assert decoding.decode_source(data, max_side_px=32).tobytes() == small.tobytes()


def test_a_jpeg_of_too_many_scans_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(PAINTED, "JPEG", progressive=True)
    assert decoding.decode_source(data).size == (64, 48)
    monkeypatch.setattr(decoding, "_MOST_SCANS", 3)
    with pytest.raises(PictureError) as caught:
        decoding.decode_source(data)
    assert caught.value.code == "picture_broken"


@pytest.mark.parametrize(
    ("size", "options", "refused"),
    [
        ((8192, 6144), {}, False),
        ((8193, 6144), {}, True),
        ((8192, 8192), {"own": True}, False),
        ((4096, 3072), {"webp": True}, False),
        ((4097, 3072), {"webp": True}, True),
        ((MAX_SIDE_PX, 64), {}, False),
        ((MAX_SIDE_PX + 1, 65), {}, True),
        ((65, MAX_SIDE_PX + 1), {"own": True}, True),
    ],
)
def test_sides_and_pixels_have_limits(size: tuple[int, int], options: dict[str, bool], refused: bool) -> None:
    with pytest.raises(PictureError, match="picture_too_many_pixels") if refused else nullcontext():
        check_source_size(*size, **options)


def test_a_generators_picture_has_no_longer_sides_either() -> None:
    with pytest.raises(PictureError):
        check_picture_size((MAX_SIDE_PX + 1, 1), None)
