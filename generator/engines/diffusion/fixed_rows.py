"""Linear layers whose result for a row does not depend on how many other rows there are.

The libraries underneath choose other kernels for other numbers of rows, and another kernel adds in another order. For
the few layers of a U-Net that see one row for each picture, always running the same number of rows costs nothing.
"""

import torch
from torch.nn.functional import linear, pad

ROWS = 8


def fixed_linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """Return one output for each row; where a picture has a single row, `ROWS` are taken at a time."""
    if rows.ndim == 3 and rows.shape[1] == 1:
        return fixed_linear(rows[:, 0], weight, bias)[:, None]
    if rows.ndim != 2:
        return linear(rows, weight, bias)
    count = rows.shape[0]
    groups = [linear(group, weight, bias) for group in pad(rows, (0, 0, 0, -count % ROWS)).split(ROWS)]
    return (groups[0] if len(groups) == 1 else torch.cat(groups))[:count]


class FixedRowsLinear(torch.nn.Linear):  # type: ignore[misc] # the library has no types in every environment
    """A linear layer of that kind."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return one output for each row."""
        return fixed_linear(rows, self.weight, self.bias)


def fix_rows(network: torch.nn.Module) -> None:
    """Change every linear layer of a network."""
    for module in network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FixedRowsLinear
