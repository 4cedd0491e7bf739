"""Benchmarks: each prints its figure and, where there is one, the raw limit of the same run. See docs/benchmarks.md."""
