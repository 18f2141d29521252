"""Files of weights: what is one, and what only claims to be."""

import json
import struct
from typing import Any

import pytest

from shared.likeness.adapter_file import MOST_HEADER_BYTES, NoAdapterFile, check_adapter_file

ONE = {"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}


def file(header: Any, size: int = 12) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + bytes(size)


def entry(**changes: Any) -> dict[str, Any]:
    return {"w": ONE["w"] | changes}


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (ONE, 12),
        (ONE | {"__metadata__": {"format": "pt"}}, 12),
        (ONE | {"b": {"dtype": "F32", "shape": [], "data_offsets": [12, 16]}}, 16),
        (ONE | {"a": {"dtype": "U8", "shape": [0], "data_offsets": [12, 12]}}, 12),
    ],
)
def test_a_file_whose_tensors_fill_it_passes(header: Any, size: int) -> None:
    check_adapter_file(file(header, size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        b"PK\x03\x04" + bytes(60),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", MOST_HEADER_BYTES + 1) + bytes(MOST_HEADER_BYTES + 1),
        file(b"not JSON"),
        file(b"[" * 100_000),
        file([]),
        file({}),
        file({"__metadata__": {}}, 0),
        file({"w": 7}),
        file(entry(dtype="object")),
        file(entry(shape=[2, -3])),
        file(entry(shape=[2, 3.0])),
        file(entry(shape=[True, 6])),
        file(entry(shape=[1] * 9)),
        file(entry(shape=[2**40, 2**40])),
        file(entry(shape=None)),
        file(entry(data_offsets=[0])),
        file(entry(data_offsets=[12, 0])),
        file(entry(data_offsets=[0, 10])),
        file(ONE, 11),
        file(ONE, 13),
        file(ONE | {"v": {"dtype": "F16", "shape": [2, 3], "data_offsets": [6, 18]}}, 18),
        file({"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [4, 16]}}, 16),
    ],
    ids=range(25),
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(NoAdapterFile):
        check_adapter_file(data)
