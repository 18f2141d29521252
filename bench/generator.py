"""The cost of a picture of the reference generator: time, memory, and pictures per second of the service."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial

from PIL import Image

from bench.ground import Ground
from bench.one_picture import paint
from bench.table import Row, in_turns
from generator.engines.base import Engine
from generator.engines.registry import load_engine
from local.ports import free_port
from shared.api.presets import QUALITIES
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import GenerationRequest, Phase
from shared.generators.img_generator import ImgGenerator

ROUNDS = 5
SIDE_PX = 512
PROMPTS = (
    "a lighthouse by the sea at sunset",
    "an autumn forest road in the fog",
    "a city at night, rain",
    "abstract, red",
)

SERVED_PICTURES = 16
SERVED_ROUNDS = 3
SERVED_LIMIT_S = 120.0
LOOK_S = 0.02

STEPS = {quality: int(QUALITIES[quality].values["steps"]) for quality in ("draft", "normal")}

LARGE_PICTURES = ((2048, 1), (1024, 4))
"""Side in pixels as painted, and the factor by which it is upscaled."""

_PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "bench.one_picture", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def generator(ground: Ground) -> Iterator[Row]:
    """Measure the time beside a trivial picture's, the memory of large pictures, and the gain of a second worker."""
    yield from _seconds()
    yield from _memory(ground)
    yield from _served(ground)


def _seconds() -> Iterator[Row]:
    engine = load_engine("painter")
    for quality, steps in STEPS.items():
        paint(engine, PROMPTS[0], SIDE_PX, steps)
        figures = in_turns(partial(_paintings, engine, steps), _gradients, ROUNDS)
        yield Row(f"{SIDE_PX}x{SIDE_PX} picture, {quality} ({steps} steps)", "ms", *figures, "Pillow gradient as PNG")


def _paintings(engine: Engine, steps: int) -> float:
    return _mean(lambda prompt: paint(engine, prompt, SIDE_PX, steps))


def _gradients() -> float:
    return _mean(lambda _: _gradient())


def _gradient() -> bytes:
    """Return a gradient with the same number of pixels, encoded at the service's compression level."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((SIDE_PX, SIDE_PX)).convert("RGB").save(out, "PNG", compress_level=4)
    return out.getvalue()


def _mean(make: Callable[[str], bytes]) -> float:
    """Return the mean milliseconds per picture, over all prompts."""
    begin = time.perf_counter()
    for prompt in PROMPTS:
        make(prompt)
    return (time.perf_counter() - begin) / len(PROMPTS) * 1000


def _memory(ground: Ground) -> Iterator[Row]:
    """Measure the peak memory of a process that makes one picture, minus that of one that only prepares to."""
    steps = STEPS["draft"]
    idle = _peak_mib(ground, 0, steps, 1)
    for side_px, ups in LARGE_PICTURES:
        name = f"memory of a {side_px}x{side_px} picture" + (
            f", upscaled to {side_px * ups}x{side_px * ups}" if ups > 1 else ""
        )
        pixels_mib = (side_px * ups) ** 2 * 3 / 2**20
        yield Row(name, "MiB", _peak_mib(ground, side_px, steps, ups) - idle, pixels_mib, "its pixels, 8-bit RGB")


def _peak_mib(ground: Ground, side_px: int, steps: int, ups: int) -> float:
    """Return the peak memory of a process that makes one picture, in MiB.

    A new process inherits the peak of its parent, so a small process starts it.
    """
    peak = int(ground.run("-c", _PEAK, str(side_px), str(steps), str(ups)))
    # macOS reports bytes, other systems KiB.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _served(ground: Ground) -> Iterator[Row]:
    """Measure two services, one of which has two workers; while one is measured, the other idles."""
    ports = {workers: free_port() for workers in (1, 2)}
    parts = [
        ground.python(
            f"generator-{workers}", "generator", "--port", str(port), "--workers", str(workers), asked=(port, "/health")
        )
        for workers, port in ports.items()
    ]
    with ground.processes(*parts), ExitStack() as stack:
        clients = {
            workers: stack.enter_context(
                closing(ImgGenerator(GeneratorAddress("img_generator", f"http://127.0.0.1:{port}")))
            )
            for workers, port in ports.items()
        }
        for client in clients.values():
            _pictures_a_second(client, 2)
        figures = in_turns(
            lambda: _pictures_a_second(clients[2], SERVED_PICTURES),
            lambda: _pictures_a_second(clients[1], SERVED_PICTURES),
            SERVED_ROUNDS,
        )
    yield Row(f"service with 2 workers, {SIDE_PX}x{SIDE_PX} draft", "pictures/s", *figures, "with 1 worker")


def _pictures_a_second(client: ImgGenerator, count: int) -> float:
    """Return pictures per second: all are ordered at once, and the time ends when the last one is fetched."""
    order = GenerationRequest(
        prompt="",
        negative_prompt="",
        n=1,
        width=SIDE_PX,
        height=SIDE_PX,
        steps=STEPS["draft"],
        scale=7.5,
        seed=1,
    )
    begin = time.monotonic()
    waiting = {
        client.start(one): one
        for one in (replace(order, prompt=PROMPTS[k % len(PROMPTS)], seed=k) for k in range(count))
    }
    while waiting:
        remote_id = next(iter(waiting))
        phase = client.status(remote_id).phase
        if phase is Phase.FINISHED:
            client.result(remote_id, waiting.pop(remote_id))
        elif phase is Phase.FAILED or time.monotonic() > begin + SERVED_LIMIT_S:
            raise RuntimeError("the generator did not finish an order")
        else:
            time.sleep(LOOK_S)
    return count / (time.monotonic() - begin)
