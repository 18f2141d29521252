"""What one step of the training does: captions, noise, loss and the change of weights; and its checkpoint."""

import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from generator.engines.base import Pixels
from generator.engines.diffusion.mini import network, vocabulary
from generator.engines.diffusion.mini.captions import caption, labels_of
from generator.engines.diffusion.mini.network import Average, Mini, Shape

EMPTY_SHARE = 0.1
"""How many captions are empty, so that guidance has something to lead away from."""

WARM_UP_STEPS = 200
STEADY_STEPS = 8000
"""After so many steps the steps become smaller, by the square root of their number."""

MOST_WEIGHT = 3.0

NOISY_SHARE = 1 / 3
"""Times are a power of even numbers: two of three are among the noisiest 30 %, where the subject is decided."""


@dataclass(frozen=True)
class Batch:
    """Latents (N x 48 x H x W) and tokens (N x 32) of pictures."""

    latents: torch.Tensor
    tokens: torch.Tensor


class Learner:
    """The model in training. Its draws depend only on the step, so that a resumed training goes on as it would have."""

    def __init__(self, shape: Shape, device: str, rate: float, mini: Mini | None = None) -> None:
        torch.manual_seed(0)
        self.shape, self.device, self.rate = shape, device, rate
        self.mini = (mini or network.build(shape)).to(device)
        self.mini.unet.train()
        self.mini.text.train()
        self.average = Average(self.mini)
        self.optimizer = torch.optim.AdamW(self.mini.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01)
        self.signal = network.scheduler().alphas_cumprod.to(device)
        self.step = 0
        self.pictures = 0

    def batch(self, pictures: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", size: int) -> Batch:
        """Draw pictures, half of them mirrored, with a caption each."""
        rng = random.Random(self.step)  # noqa: S311 - teaching needs no secrets
        numbers = [rng.randrange(len(pictures)) for _ in range(size)]
        chosen: Pixels = np.stack([pictures[k, :, :: rng.choice((1, -1))] for k in numbers])
        texts = ["" if rng.random() < EMPTY_SHARE else caption(labels_of(k), rng) for k in numbers]
        values = torch.from_numpy(chosen).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        latents = self.mini.vae.latents_of(values) * self.mini.vae.config.scaling_factor
        return Batch(latents, torch.tensor(vocabulary.tokens_of(self.mini.tokenizer, texts), device=self.device))

    def learn(self, batch: Batch) -> float:
        """Change the weights by one step and return the loss."""
        loss = self._loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.mini.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, (self.step + 1) / WARM_UP_STEPS, (STEADY_STEPS / (self.step + 1)) ** 0.5)
        self.optimizer.step()
        self.step += 1
        self.pictures += len(batch.latents)
        self.average.add(self.mini, self.step)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> torch.Tensor:
        """Return the weighted error of the clean pictures that the network sees in noisy ones."""
        generator = torch.Generator().manual_seed(self.step)
        count = len(batch.latents)
        # One time in each equal part of their distribution, so that batches are alike.
        even = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        times = (even**NOISY_SHARE * network.STEPS_TRAINED).long().clamp(max=network.STEPS_TRAINED - 1).to(self.device)
        noise = torch.randn(batch.latents.shape, generator=generator).to(self.device)
        signal = self.signal[times].view(-1, 1, 1, 1)
        noisy = signal.sqrt() * batch.latents + (1 - signal).sqrt() * noise
        rows = self.mini.text(batch.tokens).last_hidden_state
        found = self.mini.unet(noisy, times, rows).sample
        # The weight of v-prediction, 1 + signal to noise, with a limit: very noisy pictures, where the subject is
        # decided, count as 1 and not as nearly nothing.
        weight = (1 / (1 - signal)).clamp(max=MOST_WEIGHT)
        return (weight * (found - batch.latents) ** 2).mean()

    def save(self, path: Path) -> None:
        """Write a checkpoint; one that was there stays until the new one is complete."""
        state = {
            "shape": network.text_of(self.shape),
            "tokens": self.mini.tokenizer.get_vocab(),
            "weights": self.mini.parameters(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "pictures": self.pictures,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of the same shape."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["shape"] != network.text_of(self.shape):
            raise ValueError(f"{path} is of another shape: {state['shape']}")
        if state["tokens"] != self.mini.tokenizer.get_vocab():
            raise ValueError(f"{path} is of another vocabulary")
        with torch.no_grad():
            for weight, kept in zip(self.mini.parameters(), state["weights"], strict=True):
                weight.copy_(kept)
        self.average.weights = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.pictures = state["step"], state["pictures"]

    def averaged(self) -> Mini:
        """Return a copy of the model with the averaged weights, to sample from or to save."""
        copied = network.build(self.shape, self.mini.tokenizer).to(self.device)
        self.average.copy_to(copied)
        copied.unet.eval()
        copied.text.eval()
        return copied
