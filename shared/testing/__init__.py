"""Shipped fakes: they pass the same tests as the real thing, and benchmarks use them too."""
