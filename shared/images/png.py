"""The first bytes of a PNG file, read without a decoder."""

import struct

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Signature, then the chunk IHDR: length, name, 13 bytes of data, checksum.
_HEADER_BYTES = 33


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels as in the header, or None if this is no PNG. Nothing is decoded."""
    if not data.startswith(PNG_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < _HEADER_BYTES:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height
