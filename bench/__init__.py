"""Benchmarks: each measures Easel and what it is compared with in the same run, turn by turn."""
