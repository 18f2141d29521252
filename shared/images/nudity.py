"""Finding exposed bodies in a picture with NudeNet, a small network: the file of its package, run by ONNX Runtime.

Both packages are an option (`make checker`). Of nudenet only the file is read; its module, which needs OpenCV, is never
imported. Nothing is downloaded.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

SIDE_PX = 320
"""The side of the square that the file's network looks at."""

SURE = 0.5
"""From this score on a part counts as seen."""

# The network's classes of exposed parts: buttocks, female breast and genitalia, anus, male genitalia.
_EXPOSED = (2, 3, 4, 6, 14)
_BOX_VALUES = 4


class NudityChecker:
    """Finds `nudity` where a part of a body is exposed that is usually covered.

    Raises:
        FileNotFoundError: The package nudenet is not installed.
    """

    def __init__(self) -> None:
        package = find_spec("nudenet")
        if package is None or package.origin is None:
            raise FileNotFoundError("the package nudenet is not installed: make checker")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        model = Path(package.origin).with_name("320n.onnx")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def find_fault(self, picture: Image.Image) -> str | None:
        """Return `nudity`, or None."""
        return "nudity" if self.score(picture) >= SURE else None

    def score(self, picture: Image.Image) -> float:
        """Return the highest score of an exposed part, from 0 to 1."""
        side = max(picture.size)
        square = Image.new("RGB", (side, side))
        square.paste(picture)
        small = square.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / 255
        [values] = self._session.run(None, {self._name: pixels})
        return float(values[0, [_BOX_VALUES + place for place in _EXPOSED]].max())
