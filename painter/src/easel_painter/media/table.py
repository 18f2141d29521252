"""The class of each medium."""

from easel_painter.manner import PLAIN
from easel_painter.media.base import Medium
from easel_painter.media.concept import Concept
from easel_painter.media.curved_strokes import CurvedStrokes
from easel_painter.media.ink import Ink
from easel_painter.media.low_poly import LowPoly
from easel_painter.media.mosaic import Mosaic
from easel_painter.media.oil import Oil
from easel_painter.media.pencil import Pencil
from easel_painter.media.photo import Photo, Render
from easel_painter.media.pixel_art import PixelArt
from easel_painter.media.planes import Planes
from easel_painter.media.rings import Rings
from easel_painter.media.stained_glass import StainedGlass
from easel_painter.media.stencil import Stencil
from easel_painter.media.strokes import Strokes
from easel_painter.media.watercolour import Watercolour

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
    "banksy": Stencil,
    "delaunay": Rings,
    "malevich": Planes,
    "van_gogh": CurvedStrokes,
}
"""Every medium of `lexicon.MEDIA` and artist of `artists.ARTISTS`, and the one for prompts that name none."""
