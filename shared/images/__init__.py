"""Pictures: decoding, encoding, recipes."""
