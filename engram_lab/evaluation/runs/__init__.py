"""Runs: what systems found, in files that any tool reads, with their values and their record."""
