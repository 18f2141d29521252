"""The parts of `provision.py`, one module for each service."""
