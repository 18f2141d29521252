"""The program in the jail: decodes pictures from stdin, one after the other, until stdin ends.

A request is two lengths (4 bytes each), then JSON, then a picture file. The answer is a length, then JSON: `size`
(width, height), after which come the pixels in RGB, or `code` and `message` of why it cannot be used, or
`exceeded`.
"""

import contextlib
import json
import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from shared.images import decoding
from shared.images.source_rules import PictureError

_LOADED = (ImageCms, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Before the first picture, and without Pillow's other formats."""

_ROWS_BYTES = 1024 * 1024


def main(nice: str) -> None:
    """Answer requests. The limits of each are in it: of memory, and of processor time, at whose end a signal kills."""
    os.nice(int(nice))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        resource.setrlimit(kind, (0, 0))
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        head_bytes, data_bytes = struct.unpack(">II", head)
        request = json.loads(source.read(head_bytes))
        _limit_memory(int(request["memory_bytes"]))
        data = source.read(data_bytes)
        signal.setitimer(signal.ITIMER_PROF, float(request["cpu_s"]))
        found, image = _answer(request, data)
        answer = json.dumps(found).encode()
        target.write(struct.pack(">I", len(answer)) + answer)
        if image is not None:
            _write(target, image)
        signal.setitimer(signal.ITIMER_PROF, 0)
        target.flush()


def _limit_memory(most_bytes: int) -> None:
    """Limit what this process allocates; macOS does not have this limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, hard))


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Image.Image | None]:
    try:
        task = request["task"]
        if task == "size":
            return {"size": decoding.read_size(data)}, None
        if task == "source":
            image = decoding.decode_source(data, max_side_px=request["max_side_px"], own=request["own"])
        else:
            expected = request["expected_size"]
            image = decoding.decode_picture(data, expected_size=tuple(expected) if expected else None)
        return {"size": image.size}, image
    except PictureError as error:
        return {"code": error.code, "message": error.message}, None
    except MemoryError:
        return {"exceeded": True}, None


def _write(target: BinaryIO, image: Image.Image) -> None:
    rows = max(1, _ROWS_BYTES // (3 * image.width))
    if rows >= image.height:
        target.write(image.tobytes())
        return
    for top in range(0, image.height, rows):
        target.write(image.crop((0, top, image.width, min(top + rows, image.height))).tobytes())
