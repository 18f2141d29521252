"""Linear layers whose result for a row does not depend on how many other rows there are.

The libraries underneath choose other kernels for other numbers of rows, and another kernel adds in another order. For
the few layers of a U-Net that see one row for each picture, always running the same number of rows costs nothing.
"""

import torch

ROWS = 8


class FixedRowsLinear(torch.nn.Linear):  # type: ignore[misc] # the library has no types in every environment
    """A linear layer that takes two-dimensional input in groups of `ROWS`."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return one output for each row."""
        if rows.ndim != 2:
            return super().forward(rows)
        count = rows.shape[0]
        padded = torch.nn.functional.pad(rows, (0, 0, 0, -count % ROWS))
        groups = [super(FixedRowsLinear, self).forward(group) for group in padded.split(ROWS)]
        return groups[0][:count] if len(groups) == 1 else torch.cat(groups)[:count]


def fix_rows(network: torch.nn.Module) -> None:
    """Change every linear layer of a network."""
    for module in network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FixedRowsLinear
