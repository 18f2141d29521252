"""The steps of a training: LoRA layers in the U-Net, the loss and the checkpoint.

Each step sees a view of a photo and one of the model's own pictures, or a few of each. For the latter the wanted
prediction is that of the network without the adapter, so that the subject stays out of other prompts. The draws depend
only on seed and step: a training that was interrupted ends with the same bytes.
"""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import diffusers
import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model_state_dict

from generator.engines.base import TrainingOrder
from generator.engines.diffusion.loading import Model
from generator.engines.diffusion.loop import joined
from generator.engines.diffusion.networks import Inputs, predict
from generator.engines.diffusion.orders import Conditions

log = logging.getLogger("easel.generator")

LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]
SMALL_LAYERS = ["conv_in", "conv1", "conv2", "conv_out", "conv_shortcut", "proj_in", "proj_out", "add_embedding.proj"]
RATE, SMALL_RATE = 1e-4, 1e-3
SMALL_BELOW = 100_000_000
"""A network with fewer parameters takes larger steps of several photos each, and learns in its convolutions too: its
few attentions see the picture only coarsely, and cannot show what the network has never painted."""

SMALL_PAIRS = 4

WARM_UP_STEPS = 20
MIN_SNR = 5.0
KEPT_WEIGHT, SMALL_KEPT_WEIGHT = 1.0, 2.0
MOST_GRADIENT = 1.0

_RECENT = 0.98
"""How slowly the reported loss follows that of each step."""


@dataclass(frozen=True)
class Example:
    """The latents of a picture (1 x channels x height x width), and the conditions of its prompt."""

    latents: torch.Tensor
    conditions: Conditions


def is_small(model: Model) -> bool:
    """Return whether the model's network is one of the small ones."""
    return sum(int(weight.numel()) for weight in model.unet.parameters()) < SMALL_BELOW


class Lesson:
    """A training under way. It changes the model's U-Net, which nothing else uses."""

    def __init__(self, model: Model, order: TrainingOrder, photos: list[Example], kept: list[Example]) -> None:
        self._model, self._order = model, order
        self._photos, self._kept = [_plain(one) for one in photos], [_plain(one) for one in kept]
        self._schedule = diffusers.DDPMScheduler.from_config(dict(model.sampler.config))
        # The new layers draw their weights from the global generator.
        torch.manual_seed(order.seed)
        small = is_small(model)
        self._pairs = SMALL_PAIRS if small else 1
        layers = LAYERS + SMALL_LAYERS if small else LAYERS
        model.unet.add_adapter(LoraConfig(r=order.rank, lora_alpha=order.rank, target_modules=layers))
        if model.large:
            # The memory of a common GPU is not enough for what all layers keep.
            model.unet.enable_gradient_checkpointing()
        self._weights = [weight for weight in model.unet.parameters() if weight.requires_grad]
        for weight in self._weights:
            weight.data = weight.data.float()
        self._rate, self._kept_weight = (SMALL_RATE, SMALL_KEPT_WEIGHT) if small else (RATE, KEPT_WEIGHT)
        self._optimizer = torch.optim.AdamW(self._weights, lr=self._rate, weight_decay=0.01)
        self.step = 0
        self.recent_loss = 0.0

    def learn(self) -> None:
        """Take one step."""
        losses = self.losses()
        self._change(losses[0] + self._kept_weight * losses[1])
        self.recent_loss += (float(losses[0].detach()) - self.recent_loss) * max(1 - _RECENT, 1 / self.step)

    def losses(self) -> torch.Tensor:
        """Return the weighted mean errors at this step, for photos and for as many of the model's own pictures."""
        generator = torch.Generator().manual_seed((self._order.seed << 20) + self.step)
        pairs = self._pairs
        drawn = [*_draw(self._photos, pairs, generator), *_draw(self._kept, pairs, generator)]
        device, signal_at = self._model.device, self._schedule.alphas_cumprod
        times = torch.randint(len(signal_at), (2 * pairs,), generator=generator)
        clean = torch.cat([one.latents for one in drawn])
        noise = torch.randn(clean.shape, generator=generator).to(device)
        signal = signal_at[times].view(-1, 1, 1, 1).to(device)
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
        times = times.float().to(device)
        conditions = joined([one.conditions for one in drawn], 2 * pairs)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            found = predict(self._model, Inputs(noisy.to(self._model.dtype), times, conditions))
            others = joined([one.conditions for one in drawn[pairs:]], pairs)
            before = self._without_adapter(noisy[pairs:], times[pairs:], others)
        wanted = torch.cat([self.wanted(clean, noise, signal)[:pairs], before.float()])
        return (self._weight(signal) * (found.float() - wanted) ** 2).reshape(2, -1).mean(1)

    def _change(self, loss: torch.Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, MOST_GRADIENT)
        left = 1 - self.step / self._order.steps
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * min(1.0, (self.step + 1) / WARM_UP_STEPS, 2 * left)
        self._optimizer.step()
        self.step += 1

    def _without_adapter(self, noisy: torch.Tensor, times: torch.Tensor, conditions: Conditions) -> torch.Tensor:
        self._model.unet.disable_adapters()
        try:
            with torch.no_grad():
                return predict(self._model, Inputs(noisy.to(self._model.dtype), times, conditions))
        finally:
            self._model.unet.enable_adapters()

    @property
    def _predicts(self) -> str:
        return str(self._schedule.config.prediction_type)

    def wanted(self, clean: torch.Tensor, noise: torch.Tensor, signal: torch.Tensor) -> torch.Tensor:
        """Return what the network is to predict."""
        if self._predicts == "sample":
            return clean
        if self._predicts == "v_prediction":
            return signal.sqrt() * noise - (1 - signal).sqrt() * clean
        return noise

    def _weight(self, signal: torch.Tensor) -> torch.Tensor:
        """Return the weight of the error at a share of signal: min-SNR, but equal where the picture is predicted.

        Such a network finds the subject's shape in much noise, where min-SNR would count least.
        """
        if self._predicts == "sample":
            return torch.ones_like(signal)
        ratio = signal / (1 - signal)
        if self._predicts == "v_prediction":
            return (ratio + 1).clamp(max=MIN_SNR) / (ratio + 1)
        return (MIN_SNR / ratio).clamp(max=1)

    def save(self, path: Path, seconds: float) -> None:
        """Write a checkpoint; one that was there stays until the new one is complete, and where there is no room."""
        state = {
            "step": self.step,
            "loss": self.recent_loss,
            "seconds": seconds,
            "weights": [weight.detach() for weight in self._weights],
            "optimizer": self._optimizer.state_dict(),
        }
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(state, part)
            os.replace(part, path)
        except (OSError, RuntimeError) as error:  # the library's own writer raises the latter
            log.warning("the checkpoint cannot be written: %s", type(error).__name__)

    def resume(self, path: Path) -> float:
        """Go on from a checkpoint and return the seconds that the steps before it took."""
        state = torch.load(path, map_location=self._model.device, weights_only=True)
        for weight, kept in zip(self._weights, state["weights"], strict=True):
            weight.data.copy_(kept)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.recent_loss = state["step"], state["loss"]
        return float(state["seconds"])

    def file(self, facts: dict[str, str | float]) -> bytes:
        """Return the adapter as a safetensors file with diffusers' names, and facts about it as metadata."""
        found = get_peft_model_state_dict(self._model.unet)
        tensors = {f"unet.{name}": tensor.half().cpu().contiguous() for name, tensor in found.items()}
        # One entry: the library writes several in an order that changes from call to call.
        data: bytes = safetensors.torch.save(tensors, {"easel": json.dumps(facts, sort_keys=True)})
        return data


def _draw(examples: list[Example], count: int, generator: torch.Generator) -> list[Example]:
    return [examples[k] for k in torch.randint(len(examples), (count,), generator=generator).tolist()]


def _plain(example: Example) -> Example:
    """Return copies: tensors from inference mode cannot take part in a training."""
    one = example.conditions

    def copied(tensor: torch.Tensor | None) -> torch.Tensor | None:
        return None if tensor is None else tensor.clone()

    conditions = Conditions(one.prompts.clone(), copied(one.wholes), copied(one.sizes), copied(one.guidance))
    return Example(example.latents.float().clone(), conditions)
