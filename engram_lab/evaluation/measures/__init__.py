"""Measures of a ranking, values of a system, and what computes them for every query."""
