#!/usr/bin/env bash
# PyAV 18.1.0 writing an MP4 into a file object.
#
# Seen: with `movflags=faststart`, which puts the index first, closing the container raises FileNotFoundError: "[Errno 2] No
# such file or directory: '<none>'", after every frame was encoded and although the object can be read and sought. The
# same to a path works, and so do a file object without the flag and fragments with `empty_moov`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps av==18.1.0 numpy==2.4.6
cat >write.py <<'PYTHON'
import io
from pathlib import Path

import av
import numpy as np


def write(target, **options):
    """Return the error, or whether the index is before the pictures."""
    try:
        with av.open(target, "w", format="mp4", options=options) as container:
            stream = container.add_stream("libx264", rate=8)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            for tone in range(0, 200, 20):
                frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), tone, np.uint8), "rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    data = Path(target).read_bytes() if isinstance(target, str) else target.getvalue()
    return data.index(b"moov") < data.index(b"mdat")


seen = {
    "file object": write(io.BytesIO()),
    "file object, faststart": write(io.BytesIO(), movflags="faststart"),
    "path, faststart": write("video.mp4", movflags="faststart"),
    "file object, fragments": write(io.BytesIO(), movflags="frag_keyframe+empty_moov"),
}
for case, value in seen.items():
    print(f"{case}: {value}")
failure = "FileNotFoundError: [Errno 2] No such file or directory: '<none>'"
assert list(seen.values()) == [False, failure, True, True]
PYTHON
venv/bin/python write.py
