"""Adapters (LoRA), applied to single rows of a batch.

A hook on each changed layer adds, for each adapter in the batch, its change times a weight for each row: 0 for the rows
of orders without it. The change is computed for all rows, since that is what keeps a row's numbers independent of its
neighbours (see `widths`); the ranks are small, so it costs little.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import safetensors.torch
import torch

from generator.engines.diffusion.adapter_keys import BadAdapter, Layer, layers
from generator.engines.diffusion.fixed_rows import fixed_conv, fixed_linear
from generator.engines.diffusion.folder import BadModel, tensor_shapes
from generator.engines.diffusion.loading import Model

Chosen = tuple[tuple[str, float], ...]
"""The adapters of one row: hash and weight."""

MAX_BYTES = 1024**3
"""Adapters in memory, except those in use, take no more than this; the one used longest ago goes first."""


@dataclass(frozen=True)
class _Change:
    down: torch.Tensor
    up: torch.Tensor
    scale: float


class Adapters:
    """The adapters that a model has at hand, for any thread; `chosen` for one thread at a time for each network."""

    def __init__(self, model: Model, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._model = model
        self._folder = folder
        self._max_bytes = max_bytes
        self._networks = [model.unet, *(encoder.network for encoder in model.text_encoders)]
        self._lock = threading.RLock()
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._used: dict[str, int] = {}
        self._changes: dict[torch.nn.Module, dict[str, _Change]] = {}
        self._active: dict[int, list[tuple[str, torch.Tensor]]] = {}

    @contextmanager
    def held(self, adapters: Chosen) -> Iterator[None]:
        """Load the adapters of an order and keep them until it ends.

        Raises:
            BadAdapter: One is unknown, or is none for this model.
        """
        names = {name for name, _ in adapters}
        with self._lock:
            for name in names:
                # In use before it is loaded: then what makes room for it cannot be itself.
                self._used[name] = self._used.get(name, 0) + 1
        try:
            with self._lock:
                for name in names:
                    self._load(name)
            yield
        finally:
            with self._lock:
                for name in names:
                    self._used[name] -= 1
                    if not self._used[name]:
                        del self._used[name]
                self._evict()

    def _load(self, name: str) -> None:
        if name in self._kept:
            self._kept.move_to_end(name)
            return
        path = self._folder / f"{name}.safetensors"
        if not path.exists():
            raise BadAdapter(f"no adapter {name[:64]} is here")
        try:
            tensor_shapes(path)
            tensors = safetensors.torch.load_file(path)
        except (BadModel, OSError, safetensors.SafetensorError) as error:
            raise BadAdapter(f"the adapter {name[:64]} cannot be read") from error
        for layer in layers(tensors, self._networks):
            self._add(name, layer)
        self._kept[name] = path.stat().st_size
        self._evict()

    def _add(self, name: str, layer: Layer) -> None:
        module = self._networks[layer.network].get_submodule(layer.name)
        if module not in self._changes:
            self._changes[module] = {}
            module.register_forward_hook(partial(self._change, layer.network))
        place = {"device": self._model.device, "dtype": self._model.dtype}
        self._changes[module][name] = _Change(layer.down.to(**place), layer.up.to(**place), layer.scale)

    def _evict(self) -> None:
        """Forget what was used longest ago; the caller holds the lock."""
        for name in list(self._kept):
            if sum(self._kept.values()) <= self._max_bytes:
                return
            if not self._used.get(name):
                del self._kept[name]
                for changes in self._changes.values():
                    changes.pop(name, None)

    @contextmanager
    def chosen(self, rows: Sequence[Chosen], network: int = 0) -> Iterator[None]:
        """Apply to each row of a batch its own adapters while a network runs in this thread."""
        names = sorted({name for row in rows for name, _ in row})
        weights = [[sum(weight for own, weight in row if own == name) for row in rows] for name in names]
        place = {"device": self._model.device, "dtype": self._model.dtype}
        self._active[network] = [(name, torch.tensor(row, **place)) for name, row in zip(names, weights, strict=True)]
        try:
            yield
        finally:
            self._active[network] = []

    def _change(
        self, network: int, module: torch.nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor
    ) -> torch.Tensor:
        """Return the output of a layer with what the adapters add."""
        for name, weights in self._active.get(network, ()):
            change = self._changes[module].get(name)
            if change is not None:
                added = _run(module, change, inputs[0])
                factors = (weights * change.scale).view(-1, *(1 for _ in added.shape[1:]))
                # Not a sum for all rows: what overflows in one order is no number times 0 in those of others.
                output = torch.where(factors != 0, output + added * factors, output)
        return output


def _run(module: torch.nn.Module, change: _Change, rows: torch.Tensor) -> torch.Tensor:
    if isinstance(module, torch.nn.Conv2d):
        return fixed_conv(fixed_conv(rows, change.down, layer=module), change.up)
    return fixed_linear(fixed_linear(rows, change.down), change.up)
