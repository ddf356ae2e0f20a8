"""The tasks of the benchmark, one to a file."""
