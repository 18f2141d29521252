"""Clients of the storage and the broker."""
