"""The memory and its laws."""
