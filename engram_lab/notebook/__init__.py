"""What a notebook gets: magics by `%load_ext engram_lab`, and the completion of their words."""
