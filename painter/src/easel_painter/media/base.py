"""What every medium offers: it lays a finished scene down on a canvas, step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from easel_painter.noise import Field, stream

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Draft:
    """What a medium is given. Fields are height x width x 3, 0 to 1."""

    target: Field
    """The finished scene."""

    under: Field
    """The ground on which a picture that covers its canvas begins."""

    sparks: Field
    """Points of light, finer than a brush."""

    light: tuple[float, float]
    """Where the light comes from: x and y in pixels; it may be outside."""

    accent: Colour | None
    """The one colour that a medium without colours may still use."""

    steps: int
    seed: tuple[object, ...]
    report: Callable[[], None]
    """To be called now and then in long work that is no step; it may raise `Stopped`."""

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.target.shape[0])

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.target.shape[1])

    @property
    def short(self) -> int:
        """The shorter side in pixels."""
        return min(self.width, self.height)

    @property
    def refinement(self) -> float:
        """How far the number of steps lets a picture be worked out: 0.1 at one step, 1 at fifty, 1.15 at most."""
        return float(min(1.15, 0.1 + 0.9 * (np.log(self.steps) / np.log(50))))

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers for one purpose."""
        return stream(name, *self.seed)


class Medium(ABC):
    """One picture in the making. Each medium is a class that takes a `Draft` and nothing else."""

    takes_colours = True
    """Whether a picture without colours has to be asked for; ink is black by itself."""

    may_be_reduced = True
    """Whether a small picture may be painted larger and then reduced."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    @abstractmethod
    def step(self, number: int) -> None:
        """Do the work of step `number`; the steps come in order from 0."""

    @abstractmethod
    def picture(self) -> Field:
        """The work as it stands, its surface and its points of light included: height x width x 3, about 0 to 1."""

    def done(self, number: int) -> float:
        """The share of the work that is behind us after step `number`."""
        return (number + 1) / self.draft.steps


def with_sparks(picture: Field, sparks: Field, share: float = 1.0) -> Field:
    """The picture with points of light over it."""
    if share <= 0:
        return picture
    return np.asarray(picture + sparks * (1 - picture) * np.float32(share), dtype=np.float32)
