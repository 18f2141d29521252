"""The networks of a step, on the rows of a batch: the U-Net, and a ControlNet for the rows with a control picture.

What a ControlNet returns is added inside of the U-Net. Rows without a control picture get negative zeros, since adding
those changes no bit of any number.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from generator.engines.diffusion.loading import Model
from generator.engines.diffusion.orders import Bucket, Conditions, Steering
from generator.engines.diffusion.widths import Network, Widths

SAMPLES = 64
"""The widest batch that is measured."""


@dataclass(frozen=True)
class Inputs:
    """The rows of a batch as the networks take them."""

    latents: torch.Tensor
    times: torch.Tensor
    conditions: Conditions

    def take(self, rows: slice | list[int]) -> "Inputs":
        """Return some of the rows."""
        return Inputs(self.latents[rows], self.times[rows], self.conditions.take(rows))


def predict(model: Model, inputs: Inputs, residuals: list[torch.Tensor] | None = None) -> torch.Tensor:
    """Return the U-Net's prediction for each row; `residuals` are what a ControlNet adds in its blocks."""
    return model.unet(
        inputs.latents,
        inputs.times,
        encoder_hidden_states=inputs.conditions.prompts,
        timestep_cond=inputs.conditions.guidance,
        added_cond_kwargs=_added(inputs.conditions),
        down_block_additional_residuals=None if residuals is None else tuple(residuals[:-1]),
        mid_block_additional_residual=None if residuals is None else residuals[-1],
        return_dict=False,
    )[0]


def steer(model: Model, inputs: Inputs, pictures: torch.Tensor) -> list[torch.Tensor]:
    """Return what the ControlNet adds in each block of the U-Net, for rows that all have a picture."""
    assert model.controlnet is not None
    blocks, middle = model.controlnet.network(
        inputs.latents,
        inputs.times,
        encoder_hidden_states=inputs.conditions.prompts,
        controlnet_cond=pictures,
        added_cond_kwargs=_added(inputs.conditions),
        return_dict=False,
    )
    return [*blocks, middle]


def residuals_of(model: Model, inputs: Inputs, steered: dict[int, Steering], widths: Widths) -> list[torch.Tensor]:
    """Return what a ControlNet adds to all rows; `steered` are those that have a picture."""
    rows = list(steered)
    found: list[list[torch.Tensor]] = []
    for begin in range(0, len(rows), widths.widest):
        part = rows[begin : begin + widths.widest]
        full = part + part[-1:] * (widths.fit(len(part)) - len(part))
        answer = steer(model, inputs.take(full), torch.cat([steered[row].picture for row in full]))
        found.append([one[: len(part)] for one in answer])
    scales = torch.tensor([one.scale for one in steered.values()], device=model.device)[:, None, None, None]
    residuals: list[torch.Tensor] = []
    for parts in zip(*found, strict=True):
        own = torch.cat(parts)
        residuals.append(own.new_full((len(inputs.latents), *own.shape[1:]), -0.0))
        residuals[-1][rows] = own * scales
    return residuals


def unet_sample(model: Model, bucket: Bucket) -> Network:
    """Return the U-Net on random rows of a size, for measuring."""
    inputs = _random_inputs(model, bucket)
    return lambda count: predict(model, inputs.take(slice(count)))


def controlnet_sample(model: Model, bucket: Bucket) -> Network:
    """Return the ControlNet on random rows of a size, for measuring; of its many numbers, sums of their bits."""
    inputs = _random_inputs(model, bucket)
    scale = model.latent_scale
    pictures = _random(model, torch.Generator().manual_seed(1))(3, bucket.height * scale, bucket.width * scale)

    def run(count: int) -> torch.Tensor:
        answer = steer(model, inputs.take(slice(count)), pictures[:count])
        bits = torch.int16 if model.dtype.itemsize == 2 else torch.int32
        return torch.cat([one.view(bits).sum((2, 3), dtype=torch.int64) for one in answer], 1)[..., None, None]

    return run


def _added(conditions: Conditions) -> dict[str, torch.Tensor | None] | None:
    """Return what SDXL's networks take beside the prompt's rows."""
    return None if conditions.wholes is None else {"text_embeds": conditions.wholes, "time_ids": conditions.sizes}


def _random(model: Model, generator: torch.Generator) -> Callable[..., torch.Tensor]:
    return lambda *shape: torch.randn(SAMPLES, *shape, generator=generator).to(model.device, model.dtype)


def _random_inputs(model: Model, bucket: Bucket) -> Inputs:
    config, rows = model.unet.config, _random(model, torch.Generator().manual_seed(0))
    latents = rows(config.in_channels, bucket.height, bucket.width)
    times = torch.linspace(1, 900, SAMPLES).to(model.device)
    prompts = rows(bucket.length, config.cross_attention_dim)
    wholes = rows(model.text_encoders[-1].network.config.projection_dim) if model.large else None
    sizes = torch.full((SAMPLES, 6), 512.0).to(model.device, model.dtype) if model.large else None
    guidance = rows(config.time_cond_proj_dim) if model.guides_by_input else None
    return Inputs(latents, times, Conditions(prompts, wholes, sizes, guidance))
