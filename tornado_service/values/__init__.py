"""Helm values for zero-to-jupyterhub: ``tornado-service values`` and its ``check``."""

from .cli import ValuesApp

__all__ = ["ValuesApp"]
