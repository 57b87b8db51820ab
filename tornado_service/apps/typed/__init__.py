"""Handlers with type annotations: parse requests, write JSON."""
