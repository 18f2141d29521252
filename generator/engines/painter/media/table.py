"""Which class works in which medium."""

from generator.engines.painter.manner import PLAIN
from generator.engines.painter.media.base import Medium
from generator.engines.painter.media.concept import Concept
from generator.engines.painter.media.ink import Ink
from generator.engines.painter.media.low_poly import LowPoly
from generator.engines.painter.media.mosaic import Mosaic
from generator.engines.painter.media.oil import Oil
from generator.engines.painter.media.pencil import Pencil
from generator.engines.painter.media.photo import Photo, Render
from generator.engines.painter.media.pixel_art import PixelArt
from generator.engines.painter.media.stained_glass import StainedGlass
from generator.engines.painter.media.strokes import Strokes
from generator.engines.painter.media.watercolour import Watercolour

MEDIUM_CLASSES: dict[str, type[Medium]] = {
    PLAIN: Strokes,
    "oil": Oil,
    "watercolour": Watercolour,
    "ink": Ink,
    "pencil": Pencil,
    "low_poly": LowPoly,
    "pixel_art": PixelArt,
    "stained_glass": StainedGlass,
    "mosaic": Mosaic,
    "photo": Photo,
    "render": Render,
    "concept": Concept,
}
"""Every medium of `lexicon.MEDIA`, and the one for prompts that name none."""
