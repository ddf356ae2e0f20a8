"""Running a suite: every system answers every question, and nothing is lost by stopping."""
