"""A board of notices for the people of a JupyterHub."""

from .app import Notices

__all__ = ["Notices"]
