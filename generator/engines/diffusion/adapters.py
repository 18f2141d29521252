"""Adapters (LoRA), applied to single rows of a batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Chosen = tuple[tuple[str, float], ...]
"""The adapters of one row: hash and weight."""


class Adapters:
    """The adapters that a model has at hand."""

    @contextmanager
    def chosen(self, rows: Sequence[Chosen]) -> Iterator[None]:  # noqa: ARG002 # replaced below
        """Apply to each row of a batch its own adapters."""
        yield
