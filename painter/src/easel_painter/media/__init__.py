"""The painter's media: how a finished scene is laid down on the canvas."""
