"""Pictures of other prompts: the model's own, which a training must leave as they are.

They are painted once for each model and kept. Some are taught along with the photos; the rest, which the training never
sees, say afterwards how much has changed.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch

from generator.engines.base import ImageRequest
from generator.engines.diffusion.folder import BadModel, tensor_shapes
from generator.engines.diffusion.networks import Inputs, predict
from generator.engines.diffusion.studio import Studio

TAUGHT = (
    "",
    "a person",
    "a portrait of a woman",
    "a photograph of a man in a street",
    "an animal",
    "a cat",
    "a dog in a park, watercolour",
    "an object",
    "a bowl on a table, oil painting",
    "a house by a lake at dawn",
    "a tree on a hill in the fog",
    "a lighthouse by the sea at sunset",
    "mountains in winter, snow",
    "a city at night, pencil sketch",
    "a forest by day, low poly",
    "flowers, photograph",
)
MEASURED = (
    "a sailing boat at sunset, oil painting",
    "a castle by day, watercolour",
    "a kitten at night",
    "a child by a window, photograph",
    "a windmill in the fog",
    "a fish, pixel art",
)

MOST_STEPS = 20

_SEED = 20


@dataclass(frozen=True)
class Others:
    """Latents of the pictures by their prompts; those of the last map have another seed."""

    taught: dict[str, torch.Tensor]
    measured: dict[str, torch.Tensor]
    measured_again: dict[str, torch.Tensor]


def find_others(studio: Studio, report: Callable[[float], None]) -> Others:
    """Return the pictures, painted now or earlier."""
    wanted = [(prompt, _SEED) for prompt in TAUGHT + MEASURED] + [(prompt, _SEED + 1) for prompt in MEASURED]
    path = _folder() / f"{_fingerprint(studio, str(wanted))}.safetensors"
    latents = _read(path, len(wanted))
    if latents is None:
        latents = []
        for k, (prompt, seed) in enumerate(wanted):
            latents.append(_paint(studio, prompt, seed))
            report((k + 1) / len(wanted))
        _write(path, latents)
    device = studio.model.device
    named = [(prompt, one.to(device)) for (prompt, _), one in zip(wanted, latents, strict=True)]
    taught, measured = len(TAUGHT), len(MEASURED)
    return Others(dict(named[:taught]), dict(named[taught : taught + measured]), dict(named[taught + measured :]))


def measure_drift(studio: Studio, others: Others, report: Callable[[float], None]) -> float:
    """Return how much the adapter changes pictures of other prompts.

    0 is not at all, 1 as much as another seed does.
    """
    changed = by_seed = 0.0
    for k, (prompt, before) in enumerate(others.measured.items()):
        changed += float((_paint(studio, prompt, _SEED) - before).abs().mean())
        by_seed += float((others.measured_again[prompt] - before).abs().mean())
        report((k + 1) / len(others.measured))
    return changed / by_seed


def _paint(studio: Studio, prompt: str, seed: int) -> torch.Tensor:
    """Return the latents of a picture, painted in this thread."""
    model, info = studio.model, studio.info
    steps = min(info.steps, MOST_STEPS)
    order = studio.order(ImageRequest(prompt, "", info.width, info.height, steps, info.scale, seed))
    with torch.no_grad():
        while not order.finished:
            times = order.run.timesteps[order.done].float().expand(order.conditions.rows)
            order.advance(predict(model, Inputs(order.input().to(model.dtype), times, order.conditions)))
    return order.latents


def _fingerprint(studio: Studio, wanted: str) -> str:
    """Return what the pictures depend on: the weights, the model's defaults and the prompts."""
    weights = sum(float(weight.double().sum()) for weight in studio.model.unet.parameters())
    return hashlib.sha256(f"{studio.model.key} {weights} {studio.info} {wanted}".encode()).hexdigest()


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "easel" / "others"


def _read(path: Path, count: int) -> list[torch.Tensor] | None:
    try:
        if len(tensor_shapes(path)) != count:
            return None
    except BadModel:
        return None
    found = safetensors.torch.load_file(path)
    return [found[str(k)] for k in range(count)]


def _write(path: Path, latents: list[torch.Tensor]) -> None:
    """Keep the pictures; where that is not possible, the next training paints them again."""
    part = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file({str(k): one.contiguous().cpu() for k, one in enumerate(latents)}, part)
        part.replace(path)
    except OSError:
        return
