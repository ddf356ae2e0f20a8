"""`python -m engram_lab.cli`, for where the `engram` script is not on the path."""

from engram_lab.cli import main

if __name__ == "__main__":
    main()
