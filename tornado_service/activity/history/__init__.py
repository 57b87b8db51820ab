"""The history in memory, and what is kept of its figures."""
