"""Exports: everything that the site has of a user, as JSON and pictures in ZIP files."""
