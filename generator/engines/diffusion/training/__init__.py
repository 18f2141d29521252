"""Adapters (LoRA) for one subject, trained from a few photos."""
