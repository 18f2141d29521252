"""Orders from requests: noise, start picture, prompts and sizes as the model takes them."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers.utils.torch_utils import randn_tensor

from generator.engines.base import ImageRequest, Mask, ModelInfo, Pixels, ProgressReporter
from generator.engines.diffusion.adapters import Adapters
from generator.engines.diffusion.encoding import Encoded, Encoder
from generator.engines.diffusion.loading import Model, load
from generator.engines.diffusion.loop import StepLoop
from generator.engines.diffusion.orders import Bucket, Conditions, Order, Repaint, Steering
from generator.engines.diffusion.pictures import Pictures, resize
from generator.engines.diffusion.record import Record
from generator.engines.upscaling.upscaler import Upscaler

MAX_ENLARGED = 1.5
"""A model paints up to so many times its own side. A larger picture is painted at that size and enlarged."""

_STEPS_SHARE = 0.98


class Studio:
    """A loaded model and its step loop. `paint` is for any thread."""

    def __init__(
        self,
        model: str,
        exact: bool,
        adapters: Path,
        record: Record | None = None,
        *,
        controlnet: str | None = None,
        upscaler: Upscaler | None = None,
        measured: bool = True,
    ) -> None:
        """Load the model; unless `measured` is false, find the widths of its own size before they are needed."""
        self._model = load(model, controlnet)
        self._adapters = Adapters(self._model, adapters)
        self._encoder = Encoder(self._model, self._adapters)
        self._pictures = Pictures(self._model)
        self._upscaler = upscaler
        self.loop = StepLoop(self._model, self._adapters, record or Record(), exact)
        if not measured:
            return
        info, cell = self._model.info, self._model.latent_scale
        length = self._encoder.encode("", "")[0].length
        self.loop.prepare(Bucket(info.height // cell, info.width // cell, length, self._usual_rows))

    @property
    def model(self) -> Model:
        """Return the loaded model."""
        return self._model

    @property
    def _usual_rows(self) -> int:
        return 1 if self._model.guides_by_input or self._model.info.scale <= 1 else 2

    @property
    def info(self) -> ModelInfo:
        """Return the model and its defaults."""
        return self._model.info

    @property
    def parameters(self) -> int:
        """Return how many weights and biases the network has that every step uses."""
        return sum(parameter.numel() for parameter in self._model.unet.parameters())

    def memory(self) -> tuple[int, int]:
        """Return the bytes of GPU memory in use and those held."""
        if self._model.device.type != "cuda":
            return 0, 0
        return torch.cuda.memory_allocated(), torch.cuda.memory_reserved()

    def paint(
        self,
        request: ImageRequest,
        report: ProgressReporter,
        strength: float = 1.0,
        source: Pixels | None = None,
        mask: Mask | None = None,
    ) -> Pixels:
        """Paint a picture, sharing each step with the calls of other threads."""
        with self._adapters.held(request.adapters):
            return self._paint(self.order(request, strength, source, mask), request, report)

    def _paint(self, order: Order, request: ImageRequest, report: ProgressReporter) -> Pixels:
        def snapshot(latents: torch.Tensor) -> Callable[[], Pixels]:
            return lambda: self._pictures.preview(latents, request.width, request.height)

        def progress(done: int, order: Order) -> None:
            shown = order.latents if order.clean is None else order.clean
            report(_STEPS_SHARE * done / len(order.run.timesteps), snapshot(shown) if done else None)

        latents = self.loop.run(order, progress)
        picture = self._enlarge(self._pictures.decode(latents), request, report)
        report(1.0, lambda: picture)
        return picture

    def _enlarge(self, picture: Pixels, request: ImageRequest, report: ProgressReporter) -> Pixels:
        width, height = request.width, request.height
        if self._upscaler is None or max(width / picture.shape[1], height / picture.shape[0]) <= MAX_ENLARGED:
            return resize(picture, width, height)

        def progress(done: float, snapshot: object = None) -> None:  # noqa: ARG001 # frames show the steps
            report(_STEPS_SHARE + (1 - _STEPS_SHARE) * done)

        return self._upscaler.fit(picture, width, height, progress)

    def encode(self, picture: Pixels) -> torch.Tensor:
        """Return a picture's latents."""
        return self._pictures.encode(picture)

    def _painted_size(self, request: ImageRequest) -> tuple[int, int]:
        """Return the size at which the model paints: the requested one unless that is far above its own."""
        info, cell = self._model.info, self._model.latent_scale
        shrink = min(1.0, math.sqrt(info.width * info.height / (request.width * request.height)))
        if shrink * MAX_ENLARGED >= 1:
            shrink = 1.0
        return _multiple(request.width * shrink, cell), _multiple(request.height * shrink, cell)

    def order(
        self, request: ImageRequest, strength: float = 1.0, source: Pixels | None = None, mask: Mask | None = None
    ) -> Order:
        """Build the order of a request: its scheduler, noise and conditions."""
        model = self._model
        width, height = self._painted_size(request)
        run = model.sampler.start(request.steps, strength, model.device, request.scheduler)
        generator = torch.Generator().manual_seed(request.seed)
        shape = (1, model.unet.config.in_channels, height // model.latent_scale, width // model.latent_scale)
        noise = randn_tensor(shape, generator=generator, device=model.device, dtype=model.dtype)
        latents, repaint, steering = noise * run.scheduler.init_noise_sigma, None, None
        if source is not None:
            clean = self._pictures.encode(resize(source, width, height)).to(model.dtype)
            latents = run.noised(clean, noise, 0) if strength < 1 else latents
            if mask is not None:
                repaint = Repaint(clean, noise, _latent_mask(mask, shape[2:], model))
        if request.control is not None:
            steering = Steering(self._steering_picture(request.control.picture, shape), request.control.scale)
        conditions = self._conditions(request, width, height)
        return Order(conditions, run, latents, request.scale, generator, self._usual_rows, repaint, steering)

    def _steering_picture(self, pixels: Pixels, shape: tuple[int, ...]) -> torch.Tensor:
        """Return a control picture at the size of the latents' picture, as 0 to 1."""
        height, width = (side * self._model.latent_scale for side in shape[2:])
        values = torch.from_numpy(resize(pixels, width, height).copy()).permute(2, 0, 1)[None].float() / 255
        return values.to(self._model.device, self._model.dtype)

    def _conditions(self, request: ImageRequest, width: int, height: int) -> Conditions:
        model = self._model
        positive, negative = self._encoder.encode(request.prompt, request.negative_prompt, request.adapters)
        if model.zeroes_empty and not request.negative_prompt.strip():
            negative = negative.zeroed()
        guided = request.scale > 1 and not model.guides_by_input
        parts = [negative, positive] if guided else [positive]
        sizes = guidance = None
        if model.large:
            one = torch.tensor([height, width, 0, 0, height, width], dtype=model.dtype, device=model.device)
            sizes = one.expand(len(parts), 6)
        if model.guides_by_input:
            guidance = _guidance_row(request.scale, model)
        return Conditions(torch.stack([part.rows for part in parts]), _wholes(parts), sizes, guidance, request.adapters)


def _multiple(side: float, step: int) -> int:
    return max(step, round(side / step) * step)


def _wholes(parts: list[Encoded]) -> torch.Tensor | None:
    found = [part.whole for part in parts if part.whole is not None]
    return torch.stack(found) if found else None


def _latent_mask(mask: Mask, shape: tuple[int, ...], model: Model) -> torch.Tensor:
    """Return the mask at the latents' size: all of a cell is repainted if any of it is."""
    pixels = torch.from_numpy(mask.copy())[None, None].float() / 255
    return torch.nn.functional.adaptive_max_pool2d(pixels, shape).to(model.device, model.dtype)


def _guidance_row(scale: float, model: Model) -> torch.Tensor:
    """Return the guidance as the sines that an LCM's network takes."""
    half = model.unet.config.time_cond_proj_dim // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * -(math.log(10_000.0) / (half - 1)))
    angles = (scale - 1) * 1000.0 * rates
    row = torch.cat([torch.sin(angles), torch.cos(angles)])
    missing = model.unet.config.time_cond_proj_dim - len(row)
    return torch.nn.functional.pad(row, (0, missing))[None].to(model.device, model.dtype)
