"""Data sets: what is remembered, what is asked of it, and what answers each question."""
