"""Activity, the built-in app: who uses this hub, how much, and when is it quiet."""

from .app import Activity

__all__ = ["Activity"]
