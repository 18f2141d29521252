"""What a file of weights says of itself (safetensors): it is parsed as data, and no code in it ever runs."""

import json
import math
import struct
from collections.abc import Mapping
from typing import TypeGuard

MOST_HEADER_BYTES = 4 * 1024 * 1024
MOST_TENSORS = 20_000
_FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
_SIZES = _FLOATS | {"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""The types of numbers, with the bytes of one."""


class NoAdapterFile(Exception):
    """The file is no safetensors file; the message says why."""


def check_adapter_file(data: bytes) -> None:
    """Check that a file is a safetensors file whose tensors fill it exactly.

    Raises:
        NoAdapterFile: It is not.
    """
    if len(data) < 8:
        raise NoAdapterFile("it is too short")
    [length] = struct.unpack_from("<Q", data)
    if not 2 <= length <= min(MOST_HEADER_BYTES, len(data) - 8):
        raise NoAdapterFile("its header has an impossible length")
    try:
        header = json.loads(data[8 : 8 + length].decode())
    except (ValueError, RecursionError):
        raise NoAdapterFile("its header is not JSON") from None
    if not isinstance(header, dict):
        raise NoAdapterFile("its header is no object")
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if not 1 <= len(tensors) <= MOST_TENSORS:
        raise NoAdapterFile("it has no tensors, or too many")
    end = 0
    for begin, stop in sorted(_place(entry) for entry in tensors.values()):
        if begin != end:
            raise NoAdapterFile("its tensors overlap, or leave gaps")
        end = stop
    if end != len(data) - 8 - length:
        raise NoAdapterFile("its tensors do not fill it")


def _place(entry: object) -> tuple[int, int]:
    """Return where the bytes of a tensor begin and end. Raises NoAdapterFile."""
    if not isinstance(entry, Mapping):
        raise NoAdapterFile("a tensor is described by no object")
    size = _SIZES.get(str(entry.get("dtype")))
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if size is None or not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise NoAdapterFile("a tensor has no known type, shape or place")
    begin, end = offsets
    if end - begin != size * math.prod(shape):
        raise NoAdapterFile("a tensor has another size than its shape")
    return begin, end


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and len(value) <= 8
        and all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 2**40 for one in value)
    )
