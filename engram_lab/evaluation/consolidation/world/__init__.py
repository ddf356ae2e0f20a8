"""A made-up world, told to an assistant over a year, of which all that holds is known exactly."""
