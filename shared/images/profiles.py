"""Colour profiles (ICC) made from numbers: those that a PNG declares without a profile, and sRGB's own."""

import struct
from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector]
Primaries: TypeAlias = tuple[float, ...]
"""The chromaticities x, y of white, red, green and blue, in this order."""

_D65 = (0.3127, 0.329)
_SRGB: Primaries = (*_D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_CICP_PRIMARIES: dict[int, Primaries] = {
    1: _SRGB,
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_CICP_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 13: None}
"""By the numbers of ITU-T H.273, which also has curves of film and television; None is sRGB's curve."""

_USUAL_GAMMA, _GAMMA_TOLERANCE = 0.45455, 0.02
_CHROMATICITY_TOLERANCE = 0.003
"""Programs that mean sRGB write its numbers about so exactly."""

_D50: Vector = (0.9642, 1.0, 0.8249)
_CONES: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
"""Bradford's matrix, by which ICC adapts colours to the white D50."""


def declared_profile(chunks: Mapping[bytes, bytes]) -> bytes | None:
    """Return the profile that cICP, or gAMA with or without cHRM, stand for in a PNG; None for sRGB.

    As PNG says, cICP precedes sRGB, which precedes the other two. Impossible numbers are ignored.
    """
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[0] in _CICP_PRIMARIES and cicp[1] in _CICP_GAMMAS and cicp[2:] == b"\0\1":
        primaries, exponent = _CICP_PRIMARIES[cicp[0]], _CICP_GAMMAS[cicp[1]]
        return None if primaries == _SRGB and exponent is None else _profile(primaries, exponent)
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")[:4], "big") / 100_000
    if len(chunks.get(b"sRGB", b"")) == 1 or not 0.1 <= gamma <= 10:
        return None
    primaries = _SRGB
    if len(given := chunks.get(b"cHRM", b"")) == 32:
        primaries = tuple(number / 100_000 for number in struct.unpack(">8I", given))
    is_srgb = all(abs(a - b) <= _CHROMATICITY_TOLERANCE for a, b in zip(primaries, _SRGB, strict=True))
    if is_srgb and abs(gamma - _USUAL_GAMMA) <= _GAMMA_TOLERANCE:
        return None
    try:
        return _profile(primaries, 1 / gamma)
    except (ZeroDivisionError, struct.error):  # no triangle of colours, or too large a one
        return None


@cache
def srgb_profile() -> bytes:
    """Return sRGB's profile, in about 450 bytes."""
    return _profile(_SRGB, None)


def _profile(primaries: Primaries, exponent: float | None) -> bytes:
    """Return the profile of a screen with these primaries; its curve is a power, or that of sRGB.

    Raises:
        ZeroDivisionError: The primaries are no triangle, or white has no light.
        struct.error: A number is too large for a profile.
    """
    curve = _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045) if exponent is None else _fixed(exponent)
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3 if exponent is None else 0, 0) + curve
    red, green, blue = (b"XYZ \0\0\0\0" + _fixed(*column) for column in zip(*_to_d50(primaries), strict=True))
    contents = {
        b"desc": _text("sRGB" if primaries == _SRGB and exponent is None else "declared"),
        b"cprt": _text("none"),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50),
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    places: dict[bytes, int] = {}
    body = b""
    for content in contents.values():
        if content not in places:
            places[content] = 132 + 12 * len(contents) + len(body)
            body += content + bytes(-len(content) % 4)
    table = struct.pack(">I", len(contents)) + b"".join(
        struct.pack(">4sII", name, places[content], len(content)) for name, content in contents.items()
    )
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s12x4s28x", size, b"", 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (header + _fixed(*_D50)).ljust(128, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    """Return numbers as ICC writes them, in 16 bits before the point and 16 behind it."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _text(words: str) -> bytes:
    content = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(content), 28) + content


def _to_d50(primaries: Primaries) -> Matrix:
    """Return the matrix from linear RGB to XYZ, adapted to the white D50. Raises ZeroDivisionError."""
    white, *colours = (_xyz(x, y) for x, y in zip(primaries[::2], primaries[1::2], strict=True))
    columns = _transposed((colours[0], colours[1], colours[2]))
    light = _times(_inverse(columns), white)
    plain = _transposed(_scaled(_transposed(columns), light))
    cones, wanted = _times(_CONES, white), _times(_CONES, _D50)
    ratio: Vector = (wanted[0] / cones[0], wanted[1] / cones[1], wanted[2] / cones[2])
    adapting = _product(_inverse(_CONES), _scaled(_CONES, ratio))
    return _product(adapting, plain)


def _xyz(x: float, y: float) -> Vector:
    return (x / y, 1.0, (1 - x - y) / y)


def _times(matrix: Matrix, vector: Vector) -> Vector:
    a, b, c = (sum(left * right for left, right in zip(row, vector, strict=True)) for row in matrix)
    return (a, b, c)


def _transposed(matrix: Matrix) -> Matrix:
    a, b, c = zip(*matrix, strict=True)
    return (a, b, c)


def _product(left: Matrix, right: Matrix) -> Matrix:
    a, b, c = (_times(left, column) for column in _transposed(right))
    return _transposed((a, b, c))


def _scaled(matrix: Matrix, factors: Vector) -> Matrix:
    """Return the matrix with each row multiplied by its factor."""
    a, b, c = ((x * factor, y * factor, z * factor) for (x, y, z), factor in zip(matrix, factors, strict=True))
    return (a, b, c)


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    return _scaled(adjugate, (1 / determinant,) * 3)
