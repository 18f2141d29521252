"""Between pixels and latents, and a light decoder for previews."""

import numpy as np
import torch
from PIL import Image

from generator.engines.base import NotNumbers, Pixels
from generator.engines.diffusion.loading import Model

_EXACT_BELOW = 1_000_000
"""A decoder with fewer parameters is quick enough to show every step with."""


class Pictures:
    """Encodes and decodes pictures with a model's autoencoder. For any thread."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._vae = model.vae
        self._scale = float(model.vae.config.scaling_factor)
        self._shift = float(model.vae.config.get("shift_factor") or 0.0)
        light = sum(parameter.numel() for parameter in model.vae.parameters()) < _EXACT_BELOW
        self._colours = None if light else self._fit_colours()

    def encode(self, pixels: Pixels) -> torch.Tensor:
        """Return a picture's latents: 1 x channels x height x width."""
        with torch.inference_mode():
            values = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].to(self._model.device, self._vae.dtype)
            answer = self._vae.encode(values / 127.5 - 1)
            found = answer.latent_dist.mode() if hasattr(answer, "latent_dist") else answer.latents
            return (found - self._shift) * self._scale

    def decode(self, latents: torch.Tensor) -> Pixels:
        """Return the picture of latents.

        Raises:
            NotNumbers: The network gave no numbers.
        """
        with torch.inference_mode():
            if not torch.isfinite(latents).all():
                raise NotNumbers
            values = self._decode(latents.to(self._vae.dtype))
            if not torch.isfinite(values).all():
                values = self._decode_full(latents)
            return _pixels(values)

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self._vae.decode(latents / self._scale + self._shift, return_dict=False)[0]

    def _decode_full(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode in single precision, since the values of some pictures exceed half precision."""
        half = self._vae.dtype
        self._vae.float()
        try:
            values = self._decode(latents.float())
        finally:
            self._vae.to(half)
        if not torch.isfinite(values).all():
            raise NotNumbers
        return values

    def preview(self, latents: torch.Tensor, width: int, height: int) -> Pixels:
        """Return about what a picture looks like, at its size."""
        with torch.inference_mode():
            if self._colours is None:
                values = self._decode(torch.nan_to_num(latents).to(self._vae.dtype))
            else:
                weights, base = self._colours[:-1], self._colours[-1]
                values = (torch.nan_to_num(latents)[0].float().permute(1, 2, 0) @ weights + base).permute(2, 0, 1)[None]
            return resize(_pixels(values), width, height)

    def _fit_colours(self) -> torch.Tensor:
        """Return the linear map from latents to colours that fits flat patches of many colours best."""
        generator = np.random.default_rng(0)
        cell = self._model.latent_scale
        patches = generator.integers(0, 256, (8, 8, 3), np.uint8).repeat(4 * cell, 0).repeat(4 * cell, 1)
        latents = self.encode(patches)[0].float().permute(1, 2, 0)
        colours = torch.from_numpy(patches[cell // 2 :: cell, cell // 2 :: cell] / 127.5 - 1).float()
        inner = [4 * k + j for k in range(8) for j in (1, 2)]  # not the edges of the patches
        inputs = latents[inner][:, inner].reshape(-1, latents.shape[-1]).cpu()
        ones = torch.ones(len(inputs), 1)
        wanted = colours[inner][:, inner].reshape(-1, 3)
        solution = torch.linalg.lstsq(torch.cat([inputs, ones], 1), wanted, driver="gelsd").solution
        return solution.to(self._model.device)


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return a picture at another size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _pixels(values: torch.Tensor) -> Pixels:
    scaled = ((values[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.asarray(scaled.permute(1, 2, 0).contiguous().cpu().numpy(), dtype=np.uint8)
