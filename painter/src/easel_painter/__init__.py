"""The built-in engine: paints a scene from the words of a prompt with only NumPy and Pillow."""

from easel_painter.engine import Painter

__all__ = ["Painter"]
