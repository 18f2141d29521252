"""The built-in engine: paints from the words with NumPy and Pillow alone."""

from easel_painter.engine import Painter

__all__ = ["Painter"]
