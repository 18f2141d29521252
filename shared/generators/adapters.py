"""Adapters: small files of weights (LoRA, safetensors) that change what a generator's model draws."""

from typing import NamedTuple


class Adapter(NamedTuple):
    """An adapter of a request: the SHA-256 of its file as hexadecimal digits, and how much it counts, usually 1."""

    sha256: str
    weight: float
