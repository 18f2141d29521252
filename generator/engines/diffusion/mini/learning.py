"""What one step of the training does: captions, noise, loss and the change of weights; and its checkpoint.

The set to learn from is small, so what the network should see in a noisy picture is known exactly: the mean of all
pictures that the caption allows, each weighted by how likely it became this one. It takes the place of the one picture
that the noise was added to, which is the same on average, but scatters.
"""

import os
import random
from pathlib import Path
from typing import NamedTuple

import torch

from generator.engines.base import Pixels
from generator.engines.diffusion.mini import network, vocabulary
from generator.engines.diffusion.mini.captions import NOTHING, Caption, caption, labels_of
from generator.engines.diffusion.mini.network import Average, Mini, Shape
from generator.engines.diffusion.mini.vae import PatchBasis, to_values

EMPTY_SHARE = 0.1
"""How many captions are empty, so that guidance has something to lead away from."""

WARM_UP_STEPS = 100
STEADY_STEPS = 5000
"""After so many steps the steps become smaller, by the square root of their number."""

MOST_WEIGHT = 3.0

NOISY_SHARE = 1 / 3
"""Times are a power of even numbers: two of three are among the noisiest 30 %, where the subject is decided."""


class TaughtSet:
    """The pictures to learn from: their latents in rows (N x CHW), and their labels (N x 3)."""

    def __init__(self, pictures: Pixels, vae: PatchBasis, device: str) -> None:
        latents = vae.latents_of(to_values(pictures)) * vae.config.scaling_factor
        self.shape = latents.shape[1:]
        self.rows = latents.flatten(1).to(device)
        self.halves = (self.rows**2).sum(1) / 2
        labels = [labels_of(number) for number in range(len(pictures))]
        self.labels = torch.tensor([(one.subject, one.medium, one.light) for one in labels], device=device)

    def expected(
        self, noisy: torch.Tensor, signal: torch.Tensor, labels: torch.Tensor, told: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean of the pictures that became these noisy ones (B x CHW).

        signal: the share of the picture in each, of 1 (B); labels: of the picture that the noise was added to (B x 3);
        told: which of them the caption tells (B x 3).
        """
        share = signal[:, None]
        likely = (share.sqrt() * (noisy @ self.rows.T) - share * self.halves) / (1 - share)
        allowed = ((self.labels == labels[:, None]) | ~told[:, None]).all(-1)
        return likely.masked_fill(~allowed, -torch.inf).softmax(1) @ self.rows


class Batch(NamedTuple):
    """Noisy latents and what to see in them (B x C x H x W), their times (B), tokens (B x 32) and weights (B)."""

    noisy: torch.Tensor
    wanted: torch.Tensor
    times: torch.Tensor
    tokens: torch.Tensor
    weights: torch.Tensor


class Learner:
    """The model in training. Its draws depend only on the step, so that a resumed training goes on as it would have."""

    def __init__(self, shape: Shape, pictures: Pixels, device: str, rate: float, start: Mini | None = None) -> None:
        torch.manual_seed(0)
        self.shape, self.device, self.rate = shape, device, rate
        self.mini = start or network.build(shape, vae=PatchBasis.of(pictures, network.PATCH, network.CHANNELS))
        self.set = TaughtSet(pictures, self.mini.vae, device)
        self.mini.to(device)
        self.mini.unet.to(memory_format=torch.channels_last).train()
        self.mini.text.train()
        self.average = Average(self.mini)
        self.optimizer = torch.optim.AdamW(
            self.mini.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.signal = network.scheduler().alphas_cumprod.to(device)
        self.slowed = 1.0
        """What the learning rate is multiplied by: a training that ends makes smaller and smaller steps."""

        self.step = 0
        self.pictures = 0

    def batch(self, size: int) -> Batch:
        """Draw pictures with a caption and noise each."""
        rng = random.Random(self.step)  # noqa: S311 - teaching needs no secrets
        generator = torch.Generator().manual_seed(self.step)
        numbers = [rng.randrange(len(self.set.rows)) for _ in range(size)]
        captions = [draw_caption(number, rng) for number in numbers]
        # One time in each equal part of their distribution, so that batches are alike.
        even = (torch.arange(size) + torch.rand(size, generator=generator)) / size
        times = (even**NOISY_SHARE * network.STEPS_TRAINED).long().clamp(max=network.STEPS_TRAINED - 1)
        times = times.to(self.device)
        signal, clean = self.signal[times], self.set.rows[numbers]
        noise = torch.randn(clean.shape, generator=generator).to(self.device)
        noisy = signal.sqrt()[:, None] * clean + (1 - signal).sqrt()[:, None] * noise
        told = torch.tensor([one.told for one in captions], device=self.device)
        wanted = self.set.expected(noisy, signal, self.set.labels[numbers], told)
        tokens = torch.tensor(vocabulary.tokens_of(self.mini.tokenizer, [one.text for one in captions]))
        # The weight of v-prediction, 1 + signal to noise, with a limit: very noisy pictures, where the subject is
        # decided, count as 1 and not as nearly nothing.
        weights = (1 / (1 - signal)).clamp(max=MOST_WEIGHT)
        shape = (size, *self.set.shape)
        return Batch(noisy.view(shape), wanted.view(shape), times, tokens.to(self.device), weights)

    def learn(self, batch: Batch) -> float:
        """Change the weights by one step and return the loss."""
        rows = self.mini.text(batch.tokens).last_hidden_state
        noisy = batch.noisy.contiguous(memory_format=torch.channels_last)
        found = self.mini.unet(noisy, batch.times, rows).sample
        loss = (batch.weights.view(-1, 1, 1, 1) * (found - batch.wanted) ** 2).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.mini.parameters(), 1.0)
        steady = min(1.0, (self.step + 1) / WARM_UP_STEPS, (STEADY_STEPS / (self.step + 1)) ** 0.5)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * self.slowed * steady
        self.optimizer.step()
        self.step += 1
        self.pictures += len(batch.noisy)
        self.average.add(self.mini, self.step)
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write a checkpoint; one that was there stays until the new one is complete."""
        state = {
            "shape": network.text_of(self.shape),
            "tokens": self.mini.tokenizer.get_vocab(),
            "vae": self.mini.vae.state_dict(),
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
        """Go on from a checkpoint of the same shape, vocabulary and pictures."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["shape"] != network.text_of(self.shape):
            raise ValueError(f"{path} is of another shape: {state['shape']}")
        if state["tokens"] != self.mini.tokenizer.get_vocab():
            raise ValueError(f"{path} is of another vocabulary")
        # Within half precision, which is what a training that went on from a model has of it.
        for name, kept in self.mini.vae.state_dict().items():
            if not torch.allclose(kept, state["vae"][name], rtol=1e-3, atol=1e-3):
                raise ValueError(f"{path} is of other pictures")
        with torch.no_grad():
            for weight, kept in zip(self.mini.parameters(), state["weights"], strict=True):
                weight.copy_(kept)
        self.average.weights = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.pictures = state["step"], state["pictures"]

    def averaged(self) -> Mini:
        """Return a copy of the model with the averaged weights, to sample from or to save."""
        copied = network.build(self.shape, self.mini.tokenizer, self.mini.vae).to(self.device)
        self.average.copy_to(copied)
        copied.unet.eval()
        copied.text.eval()
        return copied


def read(path: Path) -> Mini:
    """Return the model of a checkpoint, with its averaged weights."""
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    mini = network.build(network.shape_of(state["shape"]))
    mini.vae.load_state_dict(state["vae"])
    with torch.no_grad():
        for weight, mean in zip(mini.parameters(), state["average"], strict=True):
            weight.copy_(mean)
    return mini


def draw_caption(number: int, rng: random.Random) -> Caption:
    """Return words for picture `number`, now and then none."""
    return NOTHING if rng.random() < EMPTY_SHARE else caption(labels_of(number), rng)
