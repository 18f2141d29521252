"""Samplers: one scheduler object of diffusers for each order."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import diffusers
import torch

from generator.engines.diffusion.folder import BadModel, Part
from generator.engines.diffusion.schedulers import SCHEDULERS

_RUNGE_KUTTA_STEPS = 4
"""PNDM begins with so many steps of another kind, and fails if there are fewer."""

_TRIED_STEPS = 4


@dataclass(frozen=True)
class Sampler:
    """Which scheduler a model uses, and its configuration."""

    name: str
    config: Mapping[str, object]

    def start(self, steps: int, strength: float, device: torch.device, other: str = "") -> "Run":
        """Return a run of `steps`, of which a strength below 1 skips the first; `other` names another scheduler."""
        kind = SCHEDULERS[other] if other else self.name
        config = dict(self.config)
        if kind == "PNDMScheduler" and steps < _RUNGE_KUTTA_STEPS:
            config["skip_prk_steps"] = True
        scheduler = getattr(diffusers, kind).from_config(config)
        # Those for few steps choose them from the steps of their training.
        steps = min(steps, int(scheduler.config.get("original_inference_steps") or steps))
        scheduler.set_timesteps(steps, device=device)
        taken = min(int(steps * strength), steps)
        begin = max(steps - taken, 0) * scheduler.order
        if strength < 1 and hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        return Run(scheduler, list(scheduler.timesteps[begin:] if strength < 1 else scheduler.timesteps))


class Run:
    """The scheduler of one order and the timesteps that it will take."""

    def __init__(self, scheduler: diffusers.SchedulerMixin, timesteps: list[torch.Tensor]) -> None:
        self.scheduler = scheduler
        self.timesteps = timesteps
        self._takes_generator = "generator" in inspect.signature(scheduler.step).parameters

    def input(self, latents: torch.Tensor, k: int) -> torch.Tensor:
        """Return the network's input for step k."""
        return self.scheduler.scale_model_input(latents, self.timesteps[k])

    def step(
        self, prediction: torch.Tensor, k: int, latents: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the latents after step k, and what they would be if all noise were removed now."""
        options = {"generator": generator} if self._takes_generator else {}
        result = self.scheduler.step(prediction, self.timesteps[k], latents, **options)
        clean = getattr(result, "pred_original_sample", None)
        return result.prev_sample, result.prev_sample if clean is None else clean

    def noised(self, latents: torch.Tensor, noise: torch.Tensor, k: int) -> torch.Tensor:
        """Return latents with the noise that belongs before step k; after the last step there is none."""
        if k >= len(self.timesteps):
            return latents
        return self.scheduler.add_noise(latents, noise, self.timesteps[k].reshape(1))


def load(part: Part, large: bool) -> Sampler:
    """Return a model's sampler.

    Raises:
        BadModel: It is not one of `SCHEDULERS`, or cannot take a step.
    """
    if part.class_name not in SCHEDULERS.values():
        raise BadModel(f"the scheduler {part.class_name[:64]} is not one of {', '.join(SCHEDULERS.values())}")
    config = dict(part.config)
    if not large:
        # As the pipeline of diffusers does for these models.
        config |= {key: value for key, value in (("steps_offset", 1), ("clip_sample", False)) if key in config}
    sampler = Sampler(part.class_name, config)
    try:
        run = sampler.start(_TRIED_STEPS, 1.0, torch.device("cpu"))
        latents = torch.zeros(1, 4, 8, 8)
        run.step(run.input(latents, 0), 0, latents, torch.Generator())
    except Exception as error:  # the library computes with whatever the configuration holds
        raise BadModel(f"the scheduler cannot run with its configuration: {type(error).__name__}") from error
    return sampler
