"""Metrics and health: what processes and the database report."""
