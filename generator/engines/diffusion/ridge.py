"""Ridge regression: names classes by a linear map from features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RIDGE = 1.0

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Ridge:
    """A linear map from features to a number for each class; the largest names the class."""

    mean: Values
    scale: Values
    weights: Values
    base: Values

    @classmethod
    def fit(cls, inputs: Values, classes: NDArray[np.int64], count: int, ridge: float = RIDGE) -> "Ridge":
        """Fit features (N x F) to classes (N) of `count`; `ridge` is relative to the mean size of a feature."""
        mean, scale = inputs.mean(0), inputs.std(0) + 1e-6
        x = (inputs - mean) / scale
        targets = np.eye(count, dtype=np.float32)[classes]
        base = targets.mean(0)
        # There are more features than pictures, so that the dual form is the smaller one.
        gram = x @ x.T
        gram[np.diag_indices_from(gram)] += ridge * len(x)
        return cls(mean, scale, x.T @ np.linalg.solve(gram, targets - base), base)

    def values(self, inputs: Values) -> Values:
        """Return the number for each row of features and class."""
        return np.asarray((inputs - self.mean) / self.scale @ self.weights + self.base, dtype=np.float32)

    def name(self, inputs: Values) -> NDArray[np.int64]:
        """Return the class of each row of features."""
        found: NDArray[np.int64] = np.argmax(self.values(inputs), axis=1)
        return found
