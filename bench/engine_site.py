"""From the last step to the picture in the client's hands: `python -m bench.engine_site --model FOLDER`.

The whole site runs: gateway, poller, storage, and the generator with the diffusion engine from its own environment. A
client submits one order at a time, watches it with `?wait`, and downloads the picture from the storage.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

import httpx

from bench.ground import ROOT, Build, Ground, prepared
from bench.web_requests import gateway
from local.ports import free_port

PYTHON = ROOT / ".venv-diffusion/bin/python"
OWN_MODEL = ROOT / "generator/engines/diffusion/mini/model"
LIMIT_S = 600
WRITTEN_TO = "BENCH_LAST_STEP"
"""Names the file in which `bench.timed_engine`, which this environment cannot import, writes when a step ended."""
TO_REACH_MS = 150


def measure(ground: Ground, model: Path, side: int, steps: int, count: int) -> list[float]:
    """Return the milliseconds of each picture; the first one, for which the model is loaded, does not count."""
    ports, [(_, token)] = [free_port(), free_port()], ground.users(1)
    written = ground.home / "last_step"
    generator = ground.python(
        "generator",
        "generator",
        *("--engine", "bench.timed_engine:TimedDiffusion", "--port", str(ports[0])),
        asked=(ports[0], "/health"),
        env={"EASEL_MODEL": str(model), WRITTEN_TO: str(written)},
        build=Build(ROOT, str(PYTHON)),
    )
    env = {"EASEL_GENERATORS": f"img_generator+http://127.0.0.1:{ports[0]}"}
    parts = (
        generator,
        ground.python("worker", "poller", "worker", env=env),
        gateway(ground, "gateway", ports[1]),
    )
    body = {"prompt": "a lighthouse at sunset", "width": side, "height": side, "steps": steps, "scale": 3}
    with (
        ground.processes(*parts),
        httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client,
        httpx.Client(timeout=60) as storage,
    ):
        times = []
        for seed in range(count + 1):
            seen = _seen_at(client, storage, f"http://127.0.0.1:{ports[1]}/v1/jobs", body | {"seed": seed})
            times.append(1000 * (seen - float(written.read_text())))
    return times[1:]


def _seen_at(client: httpx.Client, storage: httpx.Client, jobs: str, body: dict[str, object]) -> float:
    """Return the time at which the client has the picture of an order.

    Raises:
        RuntimeError: The job failed, or took too long.
    """
    job = client.post(jobs, json=body).raise_for_status().json()
    end = time.monotonic() + LIMIT_S
    while job["state"] != "succeeded":
        if job["state"] in ("failed", "cancelled") or time.monotonic() > end:
            raise RuntimeError(f"the job is {job['state']}: {job['error']}")
        job = client.get(f"{jobs}/{job['id']}", params={"wait": 20}).raise_for_status().json()
    storage.get(job["images"][0]["url"]).raise_for_status()
    return time.time()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=OWN_MODEL, help="folder of a model (%(default)s)")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args(argv)
    with prepared() as ground:
        times = measure(ground, options.model.resolve(), options.side, options.steps, options.count)
    p95 = quantiles(times, n=20)[-1]
    print(f"from the last step to the picture at the client, {options.side} px, {len(times)} orders one by one:")
    print(f"  p50 {median(times):.0f} ms, p95 {p95:.0f} ms, least {min(times):.0f} ms, to reach: {TO_REACH_MS} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
