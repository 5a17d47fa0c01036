"""Benchmarks of a running Manta; the results are in docs/benchmarks.md."""
