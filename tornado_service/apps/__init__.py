"""The extension API: definition, loading, start, mounting and isolation of apps."""
