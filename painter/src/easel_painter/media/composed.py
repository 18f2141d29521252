"""Media whose picture is composed first, and then appears piece by piece."""

from abc import abstractmethod

import numpy as np

from easel_painter.media.base import Draft, Medium
from easel_painter.noise import Field


class Composed(Medium):
    """Compose the whole picture before the first step; each step puts more of it on the ground."""

    may_be_reduced = False

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        draft.report()
        self._ground, self._whole, self._arrival = self.compose()
        draft.report()
        self._share = 0.0

    @abstractmethod
    def compose(self) -> tuple[Field, Field, Field]:
        """Return the empty ground, the whole picture, and when each pixel arrives: 0 to 1, height x width."""

    def step(self, number: int) -> None:
        """Let more of the picture arrive."""
        self._share = self.done(number)

    def picture(self) -> Field:
        """Return what has arrived so far, on its ground."""
        return np.where((self._arrival <= self._share)[..., None], self._whole, self._ground)
