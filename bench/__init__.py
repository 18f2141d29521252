"""Benchmarks: each measures Easel and a comparable program in the same run, in alternation."""
