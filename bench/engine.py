"""The diffusion engine beside plain diffusers: throughput, latency of a single order, fairness and memory.

`python -m bench.engine --model FOLDER` in the engine's environment. Both run in this process on the same model, in
turns, so that what else the machine does meets both alike. A third of the orders has one adapter, a third another. In
diffusers both adapters are loaded once, and `set_adapters` chooses for each order: the quickest that it offers.
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from bench.engine_models import SHAPES, random_adapters, random_model
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


def orders(side: int, count: int, adapters: Sequence[str]) -> list[ImageRequest]:
    """Return mixed orders: other seeds, prompts, 10 to 30 steps, guidance, and no adapter or one."""
    chosen = [(), *(((name, 1.0),) for name in adapters)]
    return [
        ImageRequest(
            prompt=PROMPTS[k % len(PROMPTS)],
            negative_prompt="" if k % 3 else "rain",
            width=side,
            height=side,
            steps=10 + k * 7 % 21,
            scale=(3.0, 7.5, 5.0, 2.0)[k % 4],
            seed=1000 + k,
            adapters=chosen[k // 3 % len(chosen)],
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
        self._adapted = False

    def load(self, folder: Path, adapters: Sequence[str]) -> None:
        """Load adapters, which from then on each order chooses from."""
        for name in adapters:
            self.pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors", adapter_name=name)
        self._adapted = bool(adapters)

    def _choose(self, adapters: Sequence[tuple[str, float]]) -> None:
        if adapters:
            self.pipe.enable_lora()
            self.pipe.set_adapters([name for name, _ in adapters], [weight for _, weight in adapters])
        else:
            self.pipe.disable_lora()

    def generate(self, request: ImageRequest) -> Pixels:
        """Return the picture of one order; brackets and bars are read as letters."""
        if self._adapted:
            self._choose(request.adapters)
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
    for k in range(rounds):
        sides = [lambda: [plain.generate(one) for one in wanted], lambda: together(engine, wanted, at_once)]
        theirs, ours = [took(side) for side in sides] if k % 2 == 0 else [took(side) for side in sides[::-1]][::-1]
        pairs.append((theirs, ours))
        say(f"  diffusers {theirs.wall_s:.1f} s ({theirs.cpu_s:.1f} s of processors)")
        say(f"  engine    {ours.wall_s:.1f} s ({ours.cpu_s:.1f} s of processors)")
    say(f"{len(wanted)} mixed orders, one by one and together, {rounds} rounds in turns (median):")
    for name, times in (("time", "wall_s"), ("processors", "cpu_s")):
        first, second = (statistics.median(getattr(pair[k], times) for pair in pairs) for k in (0, 1))
        count = len(wanted)
        ratios = sorted(getattr(theirs, times) / getattr(ours, times) for theirs, ours in pairs)
        say(
            f"  by {name}: {count / first:.2f} and {count / second:.2f} pictures/s, "
            f"{statistics.median(ratios):.2f} times as many ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def latency(engine: Diffusion, plain: Plain, one: ImageRequest, count: int) -> None:
    """Compare a single order on an idle engine."""
    theirs, ours = [], []
    plain.generate(one)
    engine.generate(one, ignore)
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


def fairness(engine: Diffusion, one: ImageRequest, pairs: int) -> None:
    """Report what orders wait that join 16 long ones: one alike, one of a single step, and one of another size."""
    long = [replace(one, steps=30, seed=k) for k in range(16)]
    joined = {
        f"one of {one.steps} steps": one,
        "one of a single step": replace(one, steps=1),
        f"one of {one.steps} steps, of another size": replace(one, width=one.width // 4 * 3),
    }
    say(f"Orders that join 16 of 30 steps, and alone ({pairs} times, median):")
    for name, request in joined.items():
        engine.generate(request, ignore)  # measures its size
        alone = [took(partial(engine.generate, request, ignore)).wall_s for _ in range(pairs)]
        among = [_joined(engine, long, request) for _ in range(pairs)]
        say(f"  {name}: {statistics.median(among) * 1000:6.0f} ms, alone {statistics.median(alone) * 1000:6.0f} ms")


def _joined(engine: Diffusion, long: Sequence[ImageRequest], request: ImageRequest) -> float:
    """Return how long an order takes that comes when others have taken their first step."""
    begun = Event()

    def first(done: float, snapshot: object = None) -> None:
        if done and snapshot is not None:
            begun.set()

    with ThreadPoolExecutor(len(long)) as threads:
        for other in long:
            threads.submit(engine.generate, other, first)
        begun.wait()
        return took(partial(engine.generate, request, ignore)).wall_s


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


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=OWN_MODEL, help="folder of a model (%(default)s)")
    parser.add_argument("--random", choices=sorted(SHAPES), help="instead, one of that size with random weights")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--joined", type=int, default=5, help="pairs for the measurement of fairness")
    parser.add_argument("--many", type=int, default=2000, help="orders for the measurement of memory")
    parser.add_argument("--at-once", type=int, default=32, help="orders in the engine at a time")
    parser.add_argument("--sizes", type=int, nargs="+", help="pixels of a side (the model's own)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit code."""
    options = options_of(argv)
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as folder:
        home = Path(folder)
        model = random_model(home / options.random, SHAPES[options.random]) if options.random else options.model
        os.environ |= {"EASEL_MODEL": str(model), "EASEL_ADAPTERS": str(home / "adapters")}
        engine, plain = took_to_load(Diffusion), Plain(model)
        info, adapters = engine.studio.info, random_adapters(model, home / "adapters", 2)
        say(f"{info.name} on {info.device} ({info.precision}, {torch.get_num_threads()} threads)")
        sizes = options.sizes or [info.width]
        # Before the adapters are loaded: diffusers' layers are slower from then on, chosen or not.
        for side in sizes if options.pairs else ():
            say(f"{side} px")
            latency(engine, plain, replace(orders(side, 1, ())[0], steps=20), options.pairs)
        plain.load(home / "adapters", adapters)
        for side in sizes:
            say(f"{side} px")
            compare(engine, plain, orders(side, options.orders, adapters), options)
    return 0


def took_to_load(load: Callable[[], Diffusion]) -> Diffusion:
    """Load the engine and say how long it took."""
    begin, busy = time.perf_counter(), time.process_time()
    engine = load()
    wall, cpu = time.perf_counter() - begin, time.process_time() - busy
    say(f"loaded in {wall:.1f} s ({cpu:.1f} s of processors)")
    return engine


def compare(engine: Diffusion, plain: Plain, wanted: list[ImageRequest], options: argparse.Namespace) -> None:
    """Measure all but the latency, at one size."""
    together(engine, wanted[:8], 8)
    plain.generate(wanted[0])
    for bucket, widths in engine.studio.loop.widths.items():
        say(f"  rows of a batch for {bucket}: {', '.join(map(str, widths.rows))}")
    if options.rounds:
        throughput(engine, plain, wanted, options.rounds, options.at_once)
    if options.joined:
        fairness(engine, replace(wanted[0], steps=20), options.joined)
    equal(engine, wanted[:16], options.at_once)
    if options.many:
        memory(engine, wanted, options.many, options.at_once)


if __name__ == "__main__":
    sys.exit(main())
