"""A Tornado service that a JupyterHub launches itself.

An app imports from here what it needs; nothing but the version is loaded before it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .apps import ServiceApp
    from .auth import allow_unauthenticated, needs_scopes
    from .handlers.base import APIHandler, PageHandler

__all__ = [
    "APIHandler",
    "PageHandler",
    "ServiceApp",
    "__version__",
    "allow_unauthenticated",
    "needs_scopes",
]

_HOMES = {
    "APIHandler": ".handlers.base",
    "PageHandler": ".handlers.base",
    "ServiceApp": ".apps",
    "allow_unauthenticated": ".auth",
    "needs_scopes": ".auth",
}


def __getattr__(name: str) -> Any:
    """Import one of the names above."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
