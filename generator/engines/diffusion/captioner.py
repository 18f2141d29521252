"""Models that describe a picture: BLIP writes a sentence, and CLIP chooses phrases that suit the picture.

Like the model that paints, they come from third parties, and are checked in the same way before a library reads them.
"""

import threading
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from generator.engines.base import DescriptionOptions, Pixels
from generator.engines.diffusion.folder import (
    BadModel,
    Part,
    check_numbers,
    check_weights,
    find_folder,
    read_json,
)
from generator.engines.diffusion.loading import TextEncoder, choose_device, load_network
from generator.engines.diffusion.phrases import PHRASES

TOKENIZERS = {"BlipForConditionalGeneration": "BertTokenizer", "CLIPModel": "CLIPTokenizer"}
"""The classes that a captioner may be of, with those of their tokenizers."""

VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")

FILES = ("*.json", "*.safetensors", "*.txt")

MAX_SIDE = 1024
BEAMS = 3
TRAITS = 16
"""So many traits are tried, those nearest to the picture."""

BATCH = 64


class Captioner:
    """Up to two models, BLIP and CLIP, which may be used by any thread, one at a time."""

    def __init__(self, names: str) -> None:
        """Load models by their folders or hub's names, separated by commas.

        Raises:
            BadModel: One cannot be used; the message says why.
        """
        self._blip: TextEncoder | None = None
        self._clip: _Clip | None = None
        self._lock = threading.Lock()
        parts = [_read(find_folder(name.strip(), FILES)) for name in names.split(",")]
        if len({part.class_name for part in parts}) < len(parts):
            raise BadModel("there are several captioners of one class")
        for part in parts:
            if part.class_name == "CLIPModel":
                self._clip = _Clip(_load(part))
            else:
                self._blip = _load(part)
        self.name = ", ".join(part.folder.name for part in parts)

    def sentence(self, picture: Pixels, options: DescriptionOptions) -> str:
        """Return BLIP's sentence of at most `blip_max_len` tokens; without BLIP, nothing."""
        if self._blip is None:
            return ""
        config = self._blip.network.config
        values = _values(picture, config.vision_config.image_size, self._blip.network)
        room = config.text_config.max_position_embeddings - 2
        with self._lock, torch.inference_mode():
            tokens = self._blip.network.generate(
                pixel_values=values, max_new_tokens=min(options.blip_max_len, room), num_beams=BEAMS, do_sample=False
            )
        return str(self._blip.tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()

    def phrases(self, picture: Pixels, sentence: str, options: DescriptionOptions) -> list[str]:
        """Return at most `clip_max_len` phrases that bring the sentence nearer to the picture."""
        if self._clip is None or options.skip_clip:
            return []
        with self._lock, torch.inference_mode():
            return self._clip.choose(picture, sentence, options)


class _Clip:
    """CLIP, with the vectors of all phrases."""

    def __init__(self, model: TextEncoder) -> None:
        self._model = model
        self._most_tokens = int(model.network.config.text_config.max_position_embeddings)
        with torch.inference_mode():
            self._vectors = {kind: self._texts(phrases) for kind, phrases in PHRASES.items()}

    def _texts(self, texts: tuple[str, ...]) -> torch.Tensor:
        parts = []
        for start in range(0, len(texts), BATCH):
            tokens = self._model.tokenizer(
                list(texts[start : start + BATCH]),
                padding=True,
                truncation=True,
                max_length=self._most_tokens,
                return_tensors="pt",
            ).to(self._model.network.device)
            parts.append(_of_length_one(self._model.network.get_text_features(**tokens).pooler_output))
        return torch.cat(parts)

    def choose(self, picture: Pixels, sentence: str, options: DescriptionOptions) -> list[str]:
        """Try the nearest phrase of each kind, then traits; keep each with which the whole is nearer to the picture."""
        side = self._model.network.config.vision_config.image_size
        values = _values(_square(picture), side, self._model.network)
        image = _of_length_one(self._model.network.get_image_features(pixel_values=values).pooler_output)[0]
        kept: list[str] = []
        nearest = float(self._texts((sentence,))[0] @ image)
        for phrase in self._candidates(image, options.skip_list):
            if len(kept) >= options.clip_max_len:
                break
            near = float(self._texts((", ".join([sentence, *kept, phrase]),))[0] @ image)
            if near > nearest:
                kept.append(phrase)
                nearest = near
        return kept

    def _candidates(self, image: torch.Tensor, skipped: tuple[str, ...]) -> list[str]:
        found: list[str] = []
        for kind, phrases in PHRASES.items():
            if kind not in skipped:
                order = (self._vectors[kind] @ image).argsort(descending=True).tolist()
                found += [phrases[k] for k in order[: TRAITS if kind == "traits" else 1]]
        return found


def _read(folder: Path) -> Part:
    """Check what a captioner's folder holds."""
    config = read_json(folder / "config.json")
    classes = config.get("architectures")
    name = classes[0] if isinstance(classes, list) and len(classes) == 1 else None
    if not isinstance(name, str) or name not in TOKENIZERS:
        raise BadModel(f"{folder.name} is no captioner: its class is none of {', '.join(TOKENIZERS)}")
    check_numbers(folder.name, config)
    check_weights(folder)
    return Part(name, folder, config)


def _load(part: Part) -> TextEncoder:
    device, dtype = choose_device()
    network = load_network(transformers, part, dtype).to(device).requires_grad_(False).eval()
    side = network.config.vision_config.image_size
    if not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
        raise BadModel(f"{part.folder.name}: its pictures are not of 1 to {MAX_SIDE} pixels")
    if part.class_name != "CLIPModel":
        # What the folder says of how to write is not followed.
        network.text_decoder.generation_config = transformers.GenerationConfig()
    # Without words the library makes a tokenizer that has none.
    if not any((part.folder / name).exists() for name in VOCABULARIES):
        raise BadModel(f"{part.folder.name} has no tokenizer")
    kind = getattr(transformers, TOKENIZERS[part.class_name])
    try:
        return TextEncoder(kind.from_pretrained(part.folder, local_files_only=True), network)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"{part.folder.name}: its tokenizer cannot be read") from error


def _values(picture: Pixels, side: int, network: torch.nn.Module) -> torch.Tensor:
    """Return a picture as these models take it: a square, scaled by mean and deviation of CLIP's photographs."""
    resized = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)
    values = (resized / 255 - np.array(OPENAI_CLIP_MEAN)) / np.array(OPENAI_CLIP_STD)
    return torch.from_numpy(values).permute(2, 0, 1)[None].to(network.device, network.dtype)


def _square(picture: Pixels) -> Pixels:
    """Return the square in the middle."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def _of_length_one(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors.float(), dim=-1)
