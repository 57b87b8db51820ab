"""Request handlers and their base classes."""
