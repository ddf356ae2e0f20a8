"""What must hold exactly, tried on a running engine: one law a file."""
