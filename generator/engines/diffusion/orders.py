"""One picture on its way through the loop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from generator.engines.diffusion.samplers import Run


class Bucket(NamedTuple):
    """What orders must have in common to share steps: size in latents, length of the prompt, rows of a single order."""

    height: int
    width: int
    length: int
    rows: int


@dataclass(frozen=True)
class Conditions:
    """What one order adds to the network's input: a row each for the negative prompt, if guided, and the prompt."""

    prompts: torch.Tensor
    wholes: torch.Tensor | None = None
    sizes: torch.Tensor | None = None
    guidance: torch.Tensor | None = None
    adapters: tuple[tuple[str, float], ...] = ()

    @property
    def rows(self) -> int:
        """Return how many rows of a batch the order takes."""
        return int(self.prompts.shape[0])

    def take(self, rows: slice | list[int]) -> "Conditions":
        """Return some of the rows, without the adapters."""
        wholes, sizes, guidance = (
            None if part is None else part[rows] for part in (self.wholes, self.sizes, self.guidance)
        )
        return Conditions(self.prompts[rows], wholes, sizes, guidance)


@dataclass(frozen=True)
class Steering:
    """The picture that a ControlNet reads, 1 x 3 x height x width in pixels, and how much it counts."""

    picture: torch.Tensor
    scale: float


@dataclass(frozen=True)
class Repaint:
    """The picture around the part that is repainted: its latents, the noise over them, and the part as 0 to 1."""

    source: torch.Tensor
    noise: torch.Tensor
    mask: torch.Tensor


@dataclass(eq=False)
class Order:
    """The state of one order. The loop alone changes it, except for `cancelled`."""

    conditions: Conditions
    run: Run
    latents: torch.Tensor
    scale: float
    generator: torch.Generator
    least_rows: int = 1
    """An order with fewer rows shares steps with those of so many: unguided ones with guided ones."""

    repaint: Repaint | None = None
    steering: Steering | None = None
    due: int = 0
    """The loop's turn at which it would end if it never waited: in a full batch, few steps go before many."""

    done: int = 0
    clean: torch.Tensor | None = None
    error: Exception | None = None
    cancelled: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def bucket(self) -> Bucket:
        """Return which orders it can share steps with."""
        height, width = self.latents.shape[2:]
        rows, length = self.conditions.prompts.shape[:2]
        return Bucket(int(height), int(width), int(length), max(int(rows), self.least_rows))

    @property
    def finished(self) -> bool:
        """Return whether all steps are done."""
        return self.done == len(self.run.timesteps)

    def input(self) -> torch.Tensor:
        """Return the order's rows of the network's input."""
        one = self.run.input(self.latents, self.done)
        return one.expand(self.conditions.rows, -1, -1, -1)

    def advance(self, output: torch.Tensor) -> None:
        """Take a step with the network's output for the order's rows."""
        if self.conditions.rows == 2:
            without, with_prompt = output.chunk(2)
            output = without + self.scale * (with_prompt - without)
        latents, self.clean = self.run.step(output, self.done, self.latents, self.generator)
        if self.repaint is not None:
            around = self.run.noised(self.repaint.source, self.repaint.noise, self.done + 1)
            latents = around * (1 - self.repaint.mask) + latents * self.repaint.mask
        self.latents = latents
        self.tell(done=self.done + 1)

    def tell(self, done: int | None = None, error: Exception | None = None) -> None:
        """Wake the thread that waits for the order."""
        with self.changed:
            self.done = self.done if done is None else done
            self.error = error
            self.changed.notify_all()

    def wait(self, known: int, timeout_s: float) -> None:
        """Wait until more steps are done than known, the order has failed, or the time is over.

        Raises:
            Exception: The order's error.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.done > known or self.error is not None, timeout_s)
            if self.error is not None:
                raise self.error


Progress = Callable[[int, Order], None]
"""Takes how many steps are done; raises `Stopped` when the order is not wanted any more."""
