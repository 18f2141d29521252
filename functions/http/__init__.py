"""What all functions share: the app around a router, its dependencies, and the rendering of errors."""
