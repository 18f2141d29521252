"""Networks that upscale from a file of safetensors, on the GPU if there is one; spandrel recognises which they are.

Pickles are never loaded, and the file's own figures are checked before a library reads them.
"""

import threading
from pathlib import Path

import numpy as np
import torch
from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError

from generator.engines.base import NotNumbers, Pixels
from generator.engines.diffusion.folder import BadModel, tensor_shapes


class TorchModel:
    """A network in torch. `run` is for any thread; on a GPU one tile runs at a time, so that they fit its memory."""

    margin_px = 16

    def __init__(self, file: Path) -> None:
        """Load the network.

        Raises:
            BadModel: The file holds no network that enlarges RGB pictures.
        """
        tensor_shapes(file)
        if file.suffix != ".safetensors":
            raise BadModel(f"{file.name} is not a file of safetensors")
        on_gpu = torch.cuda.is_available()
        try:
            model = ModelLoader("cuda" if on_gpu else "cpu").load_from_file(file)
        except (UnsupportedModelError, RuntimeError, ValueError, KeyError) as error:
            raise BadModel(f"{file.name} is no network that spandrel knows") from error
        if not isinstance(model, ImageModelDescriptor) or (model.input_channels, model.output_channels) != (3, 3):
            raise BadModel(f"{file.name} does not take and give RGB pictures")
        if model.scale < 2:
            raise BadModel(f"{file.name} does not enlarge")
        self._model = model.eval().half() if on_gpu and model.supports_half else model.eval()
        self._turn = threading.BoundedSemaphore(1 if on_gpu else 1024)
        self.tile_px = 256 if on_gpu else 96
        self.scale = model.scale
        self.parameters = sum(parameter.numel() for parameter in model.model.parameters())

    def run(self, pixels: Pixels) -> Pixels:
        """Return a picture with `scale` times the pixels on each side.

        Raises:
            NotNumbers: The network gave no numbers.
        """
        with self._turn, torch.inference_mode():
            values = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].to(self._model.device, self._model.dtype)
            large = self._model(values / 255)[0].float()
            if not torch.isfinite(large).all():
                raise NotNumbers
            scaled = (large.clamp(0, 1) * 255).round().to(torch.uint8)
            return np.asarray(scaled.permute(1, 2, 0).contiguous().cpu().numpy(), np.uint8)
