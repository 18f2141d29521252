"""Likenesses: adapters that a job trains from five photos, and the codes by which pictures name them."""
