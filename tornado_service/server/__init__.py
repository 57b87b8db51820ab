"""The HTTP server and its process: limits, start, stop."""
