"""Which class paints in which medium."""

from generator.engines.painter.manner import PLAIN
from generator.engines.painter.media.base import Medium
from generator.engines.painter.media.ink import Ink
from generator.engines.painter.media.oil import Oil
from generator.engines.painter.media.pencil import Pencil
from generator.engines.painter.media.strokes import Strokes
from generator.engines.painter.media.watercolour import Watercolour

MEDIUM_CLASSES: dict[str, type[Medium]] = {
    PLAIN: Strokes,
    "oil": Oil,
    "watercolour": Watercolour,
    "ink": Ink,
    "pencil": Pencil,
}
"""Every medium of `lexicon.MEDIA`, and the one for prompts that name none."""
