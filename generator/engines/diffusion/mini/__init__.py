"""easel-mini: a small text-to-image model for machines without a GPU, taught by the painter."""
