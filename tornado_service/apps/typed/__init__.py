"""Handlers with type annotations: read from a request, written as JSON."""
