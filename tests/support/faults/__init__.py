"""Faults of Easel's partners: a stage whose every connection can be made bad, and the steps that happen on it."""
