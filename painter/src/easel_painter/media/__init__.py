"""The painter's media: how a finished scene is drawn."""
