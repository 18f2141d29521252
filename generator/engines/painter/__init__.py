"""The built-in engine: paints from the words with NumPy and Pillow alone."""

from generator.engines.painter.engine import Painter

__all__ = ["Painter"]
