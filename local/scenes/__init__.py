"""Drawing the places and actions that come with Easel."""
