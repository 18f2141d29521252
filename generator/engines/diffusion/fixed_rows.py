"""Layers whose result for a row does not depend on how many other rows there are.

The libraries underneath choose other kernels for other numbers of rows, and another kernel adds in another order. For
the few linear layers of a U-Net that see one row for each picture, always running the same number of rows costs
nothing. For convolutions torch on a CPU chooses between two libraries, by rows and threads; here it is always oneDNN.
"""

import torch
from torch.nn.functional import conv2d, linear, pad

ROWS = 8

VERSION = 2
"""Raised with each change here that decides which kernels are used: what was measured before does not count."""


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


def fixed_conv(
    rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, layer: torch.nn.Conv2d | None = None
) -> torch.Tensor:
    """Return a convolution with the strides, edges and groups of a layer; without a layer, one that has none."""
    own = (layer.stride, layer.padding, layer.dilation, layer.groups) if layer else ((1, 1), (0, 0), (1, 1), 1)
    by_onednn = rows.device.type == "cpu" and rows.dtype == torch.float32 and torch.backends.mkldnn.is_available()
    if not by_onednn or isinstance(own[1], str):
        return conv2d(rows, weight, bias, *own)
    stride, padding, dilation, groups = own
    return torch.mkldnn_convolution(rows, weight, bias, padding, stride, dilation, groups)


class FixedRowsConv2d(torch.nn.Conv2d):  # type: ignore[misc]
    """A convolution of that kind."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return one output for each row."""
        return fixed_conv(rows, self.weight, self.bias, self)


def fix_rows(network: torch.nn.Module) -> None:
    """Change every linear layer and convolution of a network."""
    for module in network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FixedRowsLinear
        elif type(module) is torch.nn.Conv2d and module.padding_mode == "zeros":
            module.__class__ = FixedRowsConv2d
