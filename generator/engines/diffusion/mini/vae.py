"""The autoencoder of easel-mini: blocks of pixels become channels. It has no weights and loses nothing."""

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput


class SpaceToDepthOutput:
    """What `encode` answers: the latents, under the name that the pipelines of diffusers look for."""

    def __init__(self, latents: torch.Tensor) -> None:
        self.latents = latents


class SpaceToDepth(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Turns pictures of 3 x H x W into latents of 3p² x H/p x W/p and back."""

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        block_out_channels: tuple[int, ...] = (1, 1, 1),
        scaling_factor: float = 2.0,  # noqa: ARG002 - kept in the configuration by the decorator
        latent_channels: int = 48,
    ) -> None:
        # The pipelines derive the size of a block from the length of this list: 2 to the power of one less.
        super().__init__()
        self.patch = 2 ** (len(block_out_channels) - 1)
        if latent_channels != 3 * self.patch**2:
            raise ValueError(f"blocks of {self.patch} x {self.patch} pixels have {3 * self.patch**2} channels")
        # Without a weight a module has its device and precision from here.
        self.register_buffer("anchor", torch.zeros(1), persistent=False)

    def latents_of(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the latents of pictures."""
        return torch.nn.functional.pixel_unshuffle(pixels, self.patch)

    def encode(self, pixels: torch.Tensor, return_dict: bool = True) -> SpaceToDepthOutput | tuple[torch.Tensor]:
        """Return the latents of pictures with values from -1 to 1, as the pipelines ask for them."""
        latents = self.latents_of(pixels)
        return SpaceToDepthOutput(latents) if return_dict else (latents,)

    def decode(
        self, latents: torch.Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[torch.Tensor]:
        """Return the pictures of latents."""
        del generator  # nothing is drawn
        pixels = torch.nn.functional.pixel_shuffle(latents, self.patch)
        return DecoderOutput(sample=pixels) if return_dict else (pixels,)
