"""Scenes: the catalogue of places and actions, and jobs that place a person."""
