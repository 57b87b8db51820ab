"""A Tornado service that a JupyterHub launches itself."""

from ._version import __version__

__all__ = ["__version__"]
