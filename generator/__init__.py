"""The reference generator service. It imports nothing from the rest of the project."""
