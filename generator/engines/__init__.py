"""Engines, which make the pixels: their interface and how they are found."""
