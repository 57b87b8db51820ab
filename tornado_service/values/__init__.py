"""Helm values for zero-to-jupyterhub: ``tornado-service values`` and its ``check``."""

from .app import ValuesApp

__all__ = ["ValuesApp"]
