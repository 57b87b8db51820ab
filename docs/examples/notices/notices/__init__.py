"""A board of notices for the users of a JupyterHub."""

from .app import Notices

__all__ = ["Notices"]
