"""The HTTP contract: request and response schemas, presets."""
