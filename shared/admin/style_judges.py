"""The judges of the style metric: statistics of a picture, and a vision-language model."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageFilter, ImageStat

QUESTION = "Is this picture in the style of {style}? Answer yes or no."
_SIDE = 96


class JudgeFailed(Exception):
    """The judge cannot be used; the message says why."""


class Statistics:
    """Judges by statistics of colours and edges only, with a rule for each style."""

    name = "picture statistics"

    def is_in_style(self, picture: Image.Image, style: str) -> bool:
        """Answer by the rule of the style."""
        return RULES[style](_Traits(picture))


class _Traits:
    """A few numbers about a picture, each 0 to 1."""

    def __init__(self, picture: Image.Image) -> None:
        full = picture.convert("RGB")
        small = full.resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        hue, saturation, _ = small.convert("HSV").split()
        colours = small.quantize(6, Image.Quantize.MEDIANCUT).convert("RGB")
        pairs = list(zip(small.tobytes(), colours.tobytes(), strict=True))
        self.few_colours = sum(abs(a - b) <= 10 for a, b in pairs) / len(pairs)
        """The share of values that six colours explain."""
        strong = [h for h, s in zip(hue.tobytes(), saturation.tobytes(), strict=True) if s > 90]
        self.colourful = len(strong) / (_SIDE * _SIDE)
        bins = [0] * 12
        for value in strong:
            bins[value * 12 // 256] += 1
        self.hues = sum(count > 0.04 * _SIDE * _SIDE for count in bins) / 12
        edges = full.convert("L").filter(ImageFilter.FIND_EDGES)
        inner = edges.crop((2, 2, max(3, edges.width - 2), max(3, edges.height - 2)))
        self.rough = ImageStat.Stat(inner).mean[0] / 255
        self.flat = sum(inner.histogram()[:4]) / (inner.width * inner.height)
        """The share of pixels that are like their neighbours."""


RULES: dict[str, Callable[[_Traits], bool]] = {
    "banksy": lambda t: t.few_colours > 0.9 and t.colourful < 0.2 and t.hues <= 2 / 12,
    "delaunay": lambda t: t.hues >= 4 / 12 and t.colourful > 0.35 and t.flat > 0.3,
    "malevich": lambda t: t.few_colours > 0.9 and t.flat > 0.85,
    "van_gogh": lambda t: t.rough > 0.12 and t.few_colours < 0.75,
}
"""The styles that the statistics know."""


class VisionLanguage:
    """Asks a vision-language model, and compares how likely it goes on with "yes" and with "no"."""

    def __init__(self, folder: Path) -> None:
        """Load a model from a folder, as weights without code.

        Raises:
            JudgeFailed: It cannot be loaded, or transformers is not installed.
        """
        try:
            import torch
            import transformers
        except ImportError as error:
            raise JudgeFailed("A model as judge needs the extra `judge`: torch and transformers.") from error
        self._torch = torch
        self.name = folder.resolve().name
        safe = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(folder, **safe)
            model = transformers.AutoModelForImageTextToText.from_pretrained(folder, use_safetensors=True, **safe)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise JudgeFailed(f"{folder} holds no vision-language model that transformers can load.") from error
        self._model = model.eval()
        words = [[word, word.capitalize(), f" {word}", f" {word.capitalize()}"] for word in ("yes", "no")]
        self._answers = [sorted({self._first(text) for text in texts}) for texts in words]
        if set(self._answers[0]) & set(self._answers[1]):
            raise JudgeFailed(f"{folder}: its tokens for yes and no are the same.")

    def _first(self, text: str) -> int:
        return int(self._processor.tokenizer(text, add_special_tokens=False).input_ids[0])

    def is_in_style(self, picture: Image.Image, style: str) -> bool:
        """Ask the question and compare the scores of the first token of the answer."""
        question = QUESTION.format(style=style.replace("_", " "))
        content = [{"type": "image"}, {"type": "text", "text": question}]
        prompt = self._processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = self._processor(images=picture, text=prompt, return_tensors="pt")
        with self._torch.inference_mode():
            scores = self._model(**inputs).logits[0, -1]
        yes, no = (float(scores[tokens].max()) for tokens in self._answers)
        return yes > no
