"""What a judge of the style metric is refused for, and the judge that needs no model: statistics of a picture."""

from collections.abc import Callable

from PIL import Image, ImageFilter, ImageStat

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
