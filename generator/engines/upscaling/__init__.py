"""Enlarging pictures by a network, for any engine."""
