"""Clients of image generators: one module per protocol, behind one interface."""
