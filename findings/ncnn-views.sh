#!/usr/bin/env bash
# ncnn 1.0.20261020 with numpy 2.4.6: pictures that are views of other arrays.
#
# Seen: `Mat(array)` and `Mat.from_pixels(array, ...)` read the memory behind an array in order and ignore its strides. A
# transposed array keeps its shape and gets its values in the order before, and the upper left corner of a picture becomes
# its first pixels. There is no error. A copy (`numpy.ascontiguousarray`) is read as it should be.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps ncnn==1.0.20261020 numpy==2.4.6
cat >views.py <<'PYTHON'
import ncnn
import numpy as np


def through_mat(array):
    mat = ncnn.Mat(array)
    return np.array(mat)


def through_pixels(picture):
    height, width = picture.shape[:2]
    mat = ncnn.Mat.from_pixels(picture, ncnn.Mat.PixelType.PIXEL_RGB, width, height)
    return np.array(mat).transpose(1, 2, 0).astype(np.uint8)


values = np.arange(6, dtype=np.float32).reshape(2, 3)
turned = values.T
picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
corner = picture[:2, :3]
print("a transposed array:", turned.tolist(), "becomes", through_mat(turned).tolist())
print("the reds of a corner:", corner[..., 0].tolist(), "become", through_pixels(corner)[..., 0].tolist())
assert np.array_equal(through_mat(np.ascontiguousarray(turned)), turned)
assert np.array_equal(through_mat(turned), values.reshape(3, 2))
assert np.array_equal(through_pixels(np.ascontiguousarray(corner)), corner)
assert np.array_equal(through_pixels(corner), picture.reshape(-1, 3)[:6].reshape(2, 3, 3))
PYTHON
venv/bin/python views.py
