"""The client against servers that keep the protocol: the shipped fake, and the reference generator itself."""

import base64
import io
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from orders import order
from PIL import Image

from shared.generators import connect
from shared.generators.base import (
    ForgottenId,
    Generation,
    Generator,
    GeneratorAddress,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
)
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan


@contextmanager
def reference_generator() -> Iterator[str]:
    """The address of a reference generator in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    stdout = process.stdout
    reader = threading.Thread(target=lambda: [lines.put(line) for line in stdout], daemon=True)
    reader.start()
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", lines.get(timeout=60))):
            assert process.poll() is None
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
        reader.join(10)
        stdout.close()


@pytest.fixture(scope="module", params=["fake", "reference"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "fake":
        with FakeGenerator(plan=Plan(polls=2), extensions=ALL_EXTENSIONS) as fake:
            yield fake.url
    else:
        with reference_generator() as url:
            yield url


@pytest.fixture
def generator(server: str) -> Iterator[Generator]:
    client = connect(GeneratorAddress("img_generator", server))
    yield client
    client.close()


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(buffer, "PNG")
    return buffer.getvalue()


def finish(generator: Generator, remote_id: str, seconds: float = 60) -> Phase:
    """Ask until the order has ended; the wait between two looks is bounded, and so is their number."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        phase = generator.status(remote_id).phase
        if phase in (Phase.FINISHED, Phase.FAILED):
            return phase
        pause.wait(0.02)
    raise AssertionError("the order did not end")


def make(generator: Generator, wanted: Generation) -> tuple[list[tuple[int, int]], int, int]:
    """The sizes of the pictures that an order brings, and how many descriptions and frames."""
    remote_id = generator.start(wanted)
    assert finish(generator, remote_id) is Phase.FINISHED
    result = generator.result(remote_id, wanted)
    sizes = []
    for data in result.images:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            image.load()
            sizes.append(image.size)
    return sizes, len(result.descriptions), len(result.frames)


SOURCES = (png(64, 48), png(40, 80))

ORDERS = {
    "one picture": order(),
    "not upscaled unless asked": order(upscale=1, width=72, height=64),
    "three pictures": order(n=3, negative_prompt="fog"),
    "upscaled": order(n=2, upscale=2),
    "described": order(n=2, describe=True, blip_max_len=8, clip_max_len=2, skip_clip=True, skip_list=("artists",)),
    "from a picture": order(sources=SOURCES[:1], strength=0.5),
    "upscaling only": order(sources=SOURCES, strength=-0.5, upscale=2),
    "upscaling and no copy": order(sources=SOURCES, strength=-2, upscale=2),
    "describing, with the copy": order(sources=SOURCES, strength=-0.5, describe=True),
    "describing only": order(sources=SOURCES, strength=-2, describe=True),
    "on the CPU": order(cpu=True),
    "with frames": order(frames=2, steps=4),
}


@pytest.mark.parametrize("wanted", ORDERS.values(), ids=ORDERS)
def test_an_order_brings_what_it_promises(generator: Generator, wanted: Generation) -> None:
    sizes, descriptions, frames = make(generator, wanted)
    assert tuple(sizes) == wanted.output_sizes
    assert len(sizes) == wanted.expected_images
    assert descriptions == wanted.expected_descriptions
    assert frames <= wanted.frames


def test_a_wrong_order_is_refused(generator: Generator) -> None:
    with pytest.raises(GeneratorRefused) as caught:
        generator.start(order(width=65))
    assert "width" in caught.value.message


def test_an_unknown_id_is_forgotten(generator: Generator) -> None:
    with pytest.raises(ForgottenId):
        generator.status("987654321")
    with pytest.raises(ForgottenId):
        generator.result("987654321", order())


def test_the_same_key_is_the_same_order(generator: Generator) -> None:
    assert generator.start(order(key="job-1-a")) == generator.start(order(key="job-1-a"))
    assert generator.start(order(key="job-1-b")) != generator.start(order(key="job-1-c"))


def test_health_lists_the_extensions(generator: Generator) -> None:
    capabilities = generator.health()
    assert capabilities.extensions == ALL_EXTENSIONS
    assert capabilities.engine


def test_a_cancelled_order_does_not_finish(generator: Generator) -> None:
    remote_id = generator.start(order(width=512, height=512, steps=150, n=8))
    generator.cancel(remote_id)
    assert finish(generator, remote_id) is Phase.FAILED


def test_progress_moves_on(generator: Generator) -> None:
    wanted = order(width=512, height=512, steps=20)
    remote_id = generator.start(wanted)
    seen = []
    for _ in range(5000):
        progress = generator.status(remote_id)
        if progress.phase is Phase.FINISHED:
            break
        seen.append(progress.fraction or 0.0)
    assert progress.phase is Phase.FINISHED
    assert seen == sorted(seen)
    assert all(0 <= fraction <= 1 for fraction in seen)


def test_threads_may_share_a_client(generator: Generator) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda number: generator.start(order(seed=number)), range(32)))
    assert len(set(ids)) == 32
    assert {finish(generator, remote_id) for remote_id in ids} == {Phase.FINISHED}


def test_extensions_stay_off_where_they_are_not_offered() -> None:
    with FakeGenerator() as fake:
        client = connect(fake.address)
        client.start(order(key="job-1", frames=3))
        client.cancel("1")
        client.close()
        assert fake.orders[0].keys().isdisjoint({"key", "frames"})
        assert fake.counts["cancelled"] == 0


def test_what_is_sent() -> None:
    with FakeGenerator(extensions=["key", "frames"]) as fake:
        client = connect(fake.address)
        client.start(order(prompt="закат 🌅", key="k", frames=3))
        client.start(order(sources=SOURCES[:1], strength=-2, describe=True, key="l"))
        client.close()
    assert fake.orders[0] == {
        "prompt": "закат 🌅",
        "ups": 1,
        "n": 1,
        "width": 64,
        "height": 64,
        "steps": 2,
        "scale": 7.5,
        "seed": 7,
        "key": "k",
        "frames": 3,
    }
    assert fake.orders[1] == {
        "ups": 1,
        "imgs": [base64.b64encode(SOURCES[0]).decode()],
        "strength": -2,
        "desc": True,
        "key": "l",
    }


def test_the_fake_follows_its_plans() -> None:
    plans = [Plan(polls=3), Plan(ending="error"), Plan(ending="forget")]
    with FakeGenerator(plans=plans) as fake:
        client = connect(fake.address)
        first, second, third = (client.start(order()) for _ in plans)
        phases = [client.status(first) for _ in range(4)]
        assert [progress.phase for progress in phases] == [
            Phase.QUEUED,
            Phase.PROCESSING,
            Phase.PROCESSING,
            Phase.FINISHED,
        ]
        assert phases[0].position == 2
        assert client.status(second).phase is Phase.FAILED
        with pytest.raises(ForgottenId):
            client.status(third)
        assert (fake.counts["initiated"], fake.counts["statuses"], fake.in_flight) == (3, 6, 0)
        assert fake.most_in_flight == 3
        client.close()


def test_a_restarted_fake_has_forgotten_and_one_that_is_down_says_so() -> None:
    with FakeGenerator() as fake:
        client = connect(fake.address)
        remote_id = client.start(order())
        fake.restart()
        with pytest.raises(ForgottenId):
            client.status(remote_id)
        fake.down = True
        with pytest.raises(GeneratorUnavailable):
            client.start(order())
        client.close()
