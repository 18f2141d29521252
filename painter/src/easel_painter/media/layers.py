"""Media that darken a sheet of paper: one layer after another, each growing over the sheet before the next begins."""

from abc import abstractmethod

import numpy as np

from easel_painter.media.base import Draft, Medium
from easel_painter.noise import Field


class Layers(Medium):
    """Work in layers of one number a pixel, which are summed up."""

    def __init__(self, draft: Draft, count: int, arrival: Field) -> None:
        """`arrival` says when within its layer's time each pixel is reached, 0 to 1."""
        super().__init__(draft)
        self.count = count
        self._arrival = arrival
        self._finished = 0
        self._share = 0.0
        self._sum = np.zeros((draft.height, draft.width), dtype=np.float32)
        self._current = self._sum

    @abstractmethod
    def layer(self, number: int) -> Field:
        """What layer `number` adds, from 0: height x width."""

    def step(self, number: int) -> None:
        """Go on with the layers; all of them are there after the last step."""
        at = self.done(number) * self.count
        while self._finished < min(self.count, int(at + 1e-9)):
            # Many layers in few steps are long work.
            self.draft.report()
            self._sum = self._sum + (self._current if self._share else self.layer(self._finished))
            self._finished += 1
            self._share = 0.0
        rest = at - self._finished
        if rest > 1e-9 and self._finished < self.count:
            if not self._share:
                self._current = self.layer(self._finished)
            self._share = rest

    def amount(self) -> Field:
        """The sum of the layers as they stand."""
        if not self._share:
            return self._sum
        reached = np.clip((np.float32(self._share * 1.25) - self._arrival) * 4, 0, 1)
        return np.asarray(self._sum + self._current * reached, dtype=np.float32)
