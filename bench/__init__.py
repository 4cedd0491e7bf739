"""Benchmarks: each prints its figure, and where there is one, the raw limit measured in the same run. See docs/benchmarks.md."""
