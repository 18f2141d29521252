"""The autoencoder of easel-mini: blocks of pixels as sums of the patterns that they are most often made of.

The patterns are the principal components of blocks, so encoding and decoding are one product of matrices each.
"""

from typing import Self

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput

from generator.engines.base import Pixels


class PatchBasisOutput:
    """What `encode` answers: the latents, under the name that the pipelines of diffusers look for."""

    def __init__(self, latents: torch.Tensor) -> None:
        self.latents = latents


class PatchBasis(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Turns pictures of 3 x H x W into latents of C x H/p x W/p and back. The patterns are orthonormal."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        block_out_channels: tuple[int, ...] = (1, 1, 1, 1),
        scaling_factor: float = 2.0,  # noqa: ARG002 - kept in the configuration by the decorator
        latent_channels: int = 48,
    ) -> None:
        # The pipelines derive the size of a block from the length of this list: 2 to the power of one less.
        super().__init__()
        self.patch = 2 ** (len(block_out_channels) - 1)
        size = 3 * self.patch**2
        if latent_channels > size:
            raise ValueError(f"blocks of {self.patch} x {self.patch} pixels have at most {size} patterns")
        self.mean = torch.nn.Parameter(torch.zeros(size), requires_grad=False)
        self.patterns = torch.nn.Parameter(torch.eye(size)[:latent_channels], requires_grad=False)

    @classmethod
    def of(cls, pictures: Pixels, patch: int = 8, channels: int = 48) -> Self:
        """Return the autoencoder whose patterns lose the least of these pictures (N x H x W x 3)."""
        vae: Self = cls(block_out_channels=(1,) * patch.bit_length(), latent_channels=channels)
        blocks = vae._blocks(to_values(pictures)).permute(0, 2, 3, 1).flatten(0, 2)
        vae.mean.copy_(blocks.mean(0))
        centred = blocks - vae.mean
        _, patterns = torch.linalg.eigh(centred.T @ centred)  # the most frequent last
        vae.patterns.copy_(patterns.T.flip(0)[:channels])
        return vae

    def _blocks(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pixel_unshuffle(pixels, self.patch)

    def latents_of(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the latents of pictures with values from -1 to 1, before scaling."""
        return torch.einsum("nphw,cp->nchw", self._blocks(pixels) - self.mean[:, None, None], self.patterns)

    def encode(self, pixels: torch.Tensor, return_dict: bool = True) -> PatchBasisOutput | tuple[torch.Tensor]:
        """Return the latents of pictures with values from -1 to 1, as the pipelines ask for them."""
        latents = self.latents_of(pixels)
        return PatchBasisOutput(latents) if return_dict else (latents,)

    def decode(
        self, latents: torch.Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[torch.Tensor]:
        """Return the pictures of latents."""
        del generator  # nothing is drawn
        blocks = torch.einsum("nchw,cp->nphw", latents, self.patterns) + self.mean[:, None, None]
        pixels = torch.nn.functional.pixel_shuffle(blocks, self.patch)
        return DecoderOutput(sample=pixels) if return_dict else (pixels,)


def to_values(pictures: Pixels) -> torch.Tensor:
    """Return N x H x W x 3 bytes as N x 3 x H x W values from -1 to 1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
