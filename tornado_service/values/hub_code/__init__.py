"""The Python code of the hub's configuration that stands in values."""
