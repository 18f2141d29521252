"""The video of a picture's making: H.264 in MP4, encoded with PyAV in a separate process.

Run as a program, it reads pictures from stdin, each after its length as four bytes, and writes the video to stdout. It
limits its own memory and time, because the pictures are untrusted and the encoder is native code.
"""

import os
import resource
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from PIL import Image

from shared.core.limits import TIMELAPSE_FRAMES
from shared.images import decoding
from shared.images.source_rules import PictureError

FRAMES_PER_S = 8
LAST_FRAMES = 12
"""How often the finished picture is shown after those of the making, which take six seconds."""

MAX_SIDE_PX = 768
MAX_VIDEO_BYTES = 3_000_000
MAX_CPU_S = 60
MAX_MEMORY_BYTES = 384 * 1024 * 1024
NICE = 5

_BT709 = 1
"""Players convert colours as the video says, and guess otherwise: BT.709, as sRGB's primaries are."""

# At most 2.25 MB in 7.5 s and 0.3 MB of buffer, whatever the pictures are.
_OPTIONS = {"crf": "21", "preset": "veryfast", "profile": "high", "maxrate": "2400k", "bufsize": "2400k"}


def video_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of the video of pictures of this size: even, and at most 768 pixels a side."""
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def encode(pictures: Sequence[bytes]) -> bytes:
    """Return the MP4 of these picture files, oldest first; the last is the finished picture, of the video's shape.

    Raises:
        PictureError: One cannot be decoded.
    """
    import av

    last = decoding.decode_picture(pictures[-1], expected_size=None)
    size = video_size(*last.size)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "video.mp4")
        # The index comes first (faststart), so that players begin before they have all of it; that takes a file.
        with av.open(path, "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", FRAMES_PER_S, options=_OPTIONS)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.thread_count = 1
            context = stream.codec_context
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            for number, image in enumerate(_shown(pictures, last, size)):
                rgb = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
                frame = rgb.reformat(format="yuv420p", dst_colorspace="ITU709")
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        with open(path, "rb") as file:
            return file.read()


def _shown(pictures: Sequence[bytes], last: Image.Image, size: tuple[int, int]) -> Iterator[Image.Image]:
    for data in pictures[:-1][:TIMELAPSE_FRAMES]:
        yield decoding.decode_picture(data, expected_size=None).resize(size, Image.Resampling.LANCZOS)
    for _ in range(LAST_FRAMES):
        yield last.resize(size, Image.Resampling.LANCZOS)


def pack(pictures: Sequence[bytes]) -> bytes:
    """Return what the program reads."""
    return b"".join(struct.pack(">I", len(data)) + data for data in pictures)


def _unpack(source: BinaryIO) -> list[bytes]:
    pictures = []
    while head := source.read(4):
        pictures.append(source.read(struct.unpack(">I", head)[0]))
    return pictures


def main() -> None:
    """Encode the pictures from stdin. The argument is how much memory that may take, in bytes.

    The exit status is 1 where a picture cannot be decoded.
    """
    most_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MAX_VIDEO_BYTES, 2 * MAX_VIDEO_BYTES))
    os.nice(NICE)
    try:
        video = encode(_unpack(sys.stdin.buffer))
    except PictureError as error:
        sys.exit(error.message)
    sys.stdout.buffer.write(video)


if __name__ == "__main__":
    main()
