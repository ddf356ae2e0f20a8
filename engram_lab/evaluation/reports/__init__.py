"""What people see of an evaluation: tables, plots, one page, and what other tools read."""
