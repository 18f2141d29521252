"""Engines: what draws the pixels."""
