"""The diffusion engine beside plain diffusers: throughput, latency of a single order, and memory.

`python -m bench.engine --model FOLDER` in the engine's environment. Both run in this process on the same model, in
turns, so that what else the machine does meets both alike.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from generator.engines.base import ImageRequest, Pixels
from generator.engines.diffusion.engine import OWN_MODEL, Diffusion
from generator.engines.diffusion.folder import OWN_VAE, read_parts

PROMPTS = (
    "a lighthouse at sunset, oil painting",
    "a (red) boat on the sea, watercolour",
    "a cat at night, pencil sketch",
    "a castle in the fog | mountains",
    "a forest in winter, low poly",
    "a windmill by day, [pixel art]",
    "a city at dawn, photograph",
    "flowers",
)
ORDERS = 64


def orders(width: int, height: int, count: int = ORDERS) -> list[ImageRequest]:
    """Return mixed orders: other seeds, prompts, 10 to 30 steps, other guidance."""
    return [
        ImageRequest(
            prompt=PROMPTS[k % len(PROMPTS)],
            negative_prompt="" if k % 3 else "rain",
            width=width,
            height=height,
            steps=10 + k * 7 % 21,
            scale=(3.0, 7.5, 5.0, 2.0)[k % 4],
            seed=1000 + k,
        )
        for k in range(count)
    ]


class Plain:
    """The pipeline of diffusers, one order after the other."""

    def __init__(self, folder: Path) -> None:
        parts, more = read_parts(folder), {}
        if parts["vae"].class_name == OWN_VAE:
            own = import_module("generator.engines.diffusion.mini.vae")
            more["vae"] = getattr(own, OWN_VAE).from_config(parts["vae"].config)
        self.pipe = StableDiffusionPipeline.from_pretrained(
            folder, safety_checker=None, torch_dtype=torch.float32, **more
        )
        if torch.cuda.is_available():
            self.pipe.to("cuda", torch.float16)
        self.pipe.set_progress_bar_config(disable=True)

    def generate(self, request: ImageRequest) -> Pixels:
        """Return the picture of one order; brackets and bars are read as letters."""
        answer = self.pipe(
            request.prompt,
            negative_prompt=request.negative_prompt,
            width=request.width,
            height=request.height,
            num_inference_steps=request.steps,
            guidance_scale=request.scale,
            generator=torch.Generator().manual_seed(request.seed),
            output_type="np",
        )
        picture: Pixels = (answer.images[0] * 255).round().astype(np.uint8)
        return picture


@dataclass(frozen=True)
class Took:
    """How long a call took, and how much of the processors: on a busy machine only the latter is comparable."""

    wall_s: float
    cpu_s: float


def took(call: Callable[[], object]) -> Took:
    """Measure a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def ignore(done: float, snapshot: object = None) -> None:
    """Take an engine's progress."""


def together(engine: Diffusion, wanted: Sequence[ImageRequest], at_once: int) -> list[Pixels]:
    """Paint orders with so many in the engine at a time."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(lambda one: engine.generate(one, ignore), wanted))


def throughput(engine: Diffusion, plain: Plain, wanted: Sequence[ImageRequest], rounds: int, at_once: int) -> None:
    """Compare all orders, one by one in diffusers and together in the engine."""
    pairs = []
    for _ in range(rounds):
        theirs = took(lambda: [plain.generate(one) for one in wanted])
        ours = took(lambda: together(engine, wanted, at_once))
        pairs.append((theirs, ours))
        say(f"  diffusers {theirs.wall_s:.1f} s ({theirs.cpu_s:.1f} s of processors)")
        say(f"  engine    {ours.wall_s:.1f} s ({ours.cpu_s:.1f} s of processors)")
    say(f"{len(wanted)} mixed orders, one by one and together, {rounds} rounds in turns (median):")
    for name, times in (("time", "wall_s"), ("processors", "cpu_s")):
        first, second = (statistics.median(getattr(pair[k], times) for pair in pairs) for k in (0, 1))
        count = len(wanted)
        say(f"  by {name}: {count / first:.2f} and {count / second:.2f} pictures/s, {first / second:.2f} times as many")


def latency(engine: Diffusion, plain: Plain, one: ImageRequest, count: int) -> None:
    """Compare a single order on an idle engine."""
    theirs, ours = [], []
    for k in range(count):
        request = replace(one, seed=k)
        theirs.append(took(partial(plain.generate, request)))
        ours.append(took(partial(engine.generate, request, ignore)))
    say(f"A single order of {one.steps} steps on an idle engine, {count} pairs in turns:")
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        first, second = (at([each.wall_s for each in all_of], share) for all_of in (theirs, ours))
        say(f"  {name}: diffusers {first * 1000:6.0f} ms, engine {second * 1000:6.0f} ms, {second / first:.2f} times")
    first, second = (statistics.median(each.cpu_s for each in all_of) for all_of in (theirs, ours))
    say(f"  processors: {first * 1000:6.0f} ms and {second * 1000:6.0f} ms, {second / first:.2f} times")


def at(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def memory(engine: Diffusion, wanted: Sequence[ImageRequest], count: int, at_once: int) -> None:
    """Paint many orders and report how the memory in use grows."""
    short = [replace(wanted[k % len(wanted)], steps=2, seed=k, prompt=f"{k} cats") for k in range(count)]
    say(f"Memory over {count} orders:")
    for part in range(5):
        together(engine, short[part * count // 5 : (part + 1) * count // 5], at_once)
        say(f"  after {(part + 1) * count // 5:5d}: {resident_mb():7.1f} MB")


def resident_mb() -> float:
    """Return the memory that this process holds now; its peak where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def equal(engine: Diffusion, wanted: Sequence[ImageRequest], at_once: int) -> None:
    """Say whether the pictures painted together are those painted alone."""
    painted = together(engine, wanted, at_once)
    alone = [engine.generate(one, ignore) for one in wanted]
    same = sum(np.array_equal(one, other) for one, other in zip(painted, alone, strict=True))
    say(f"{same} of {len(wanted)} pictures painted together are equal, bit for bit, to those painted alone.")


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=OWN_MODEL, help="folder of a model (%(default)s)")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--many", type=int, default=2000, help="orders for the measurement of memory")
    parser.add_argument("--at-once", type=int, default=32, help="orders in the engine at a time")
    parser.add_argument("--size", type=int, help="pixels of a side (the model's own)")
    options = parser.parse_args(argv)
    os.environ["EASEL_MODEL"] = str(options.model)
    engine, plain = Diffusion(), Plain(options.model)
    info = engine.studio.info
    size = options.size or info.width
    wanted = orders(size, size, options.orders)
    say(f"{info.name} on {info.device} ({info.precision}, {torch.get_num_threads()} threads), {size} px")
    together(engine, wanted[:8], 8)
    plain.generate(wanted[0])
    for bucket, widths in engine.studio.loop.widths.items():
        say(f"  rows of a batch for {bucket}: {', '.join(map(str, widths.rows))}")
    if options.rounds:
        throughput(engine, plain, wanted, options.rounds, options.at_once)
    if options.pairs:
        latency(engine, plain, replace(wanted[0], steps=20), options.pairs)
    equal(engine, wanted[:16], options.at_once)
    if options.many:
        memory(engine, wanted, options.many, options.at_once)
    return 0


if __name__ == "__main__":
    sys.exit(main())
