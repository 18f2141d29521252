"""ICC profiles as input, written from the numbers of their definitions."""

import struct


def _fixed(*values: float) -> bytes:
    """Return numbers as s15Fixed16."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _gamma(exponent: float) -> bytes:
    return b"para\0\0\0\0\0\0\0\0" + _fixed(exponent)


_SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D50 = (0.9642, 1.0, 0.8249)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"wtpt": _xyz(*_D50), **tags}
    place = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += struct.pack(">4sII", name, place + len(body), len(content))
        body += padded
    header = struct.pack(">I4sI4s4s4s12x4s", place + len(body), b"test", 0x04200000, kind, space, connection, b"acsp")
    return (header + bytes(28) + _fixed(*_D50)).ljust(128, b"\0") + table + body


DISPLAY_P3 = _profile(
    b"mntr",
    b"RGB ",
    b"XYZ ",
    {
        b"rXYZ": _xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": _xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": _xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": _SRGB_CURVE,
        b"gTRC": _SRGB_CURVE,
        b"bTRC": _SRGB_CURVE,
    },
)
LINEAR_GREY = _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(1.0)})


def _ink_lightness(inks: int) -> int:
    """Return the lightness (255 is white) of full inks, as bits: 8 is cyan, 1 is black."""
    return {0: 255, 8: 128}.get(inks, 0)


_EVEN = bytes(range(256))
GREY_INK = _profile(
    b"prtr",
    b"CMYK",
    b"Lab ",
    {
        b"A2B0": b"mft1\0\0\0\0\4\3\2\0"
        + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        + _EVEN * 4
        + b"".join(bytes([_ink_lightness(inks), 128, 128]) for inks in range(16))
        + _EVEN * 3
    },
)
"""A press whose cyan is a medium grey."""
