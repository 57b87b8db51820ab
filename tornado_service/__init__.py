"""A Tornado service that a JupyterHub launches itself.

The names below are imported on first access; only the version is loaded at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .apps.base import ServiceApp
    from .apps.isolation.containment import AppError
    from .apps.schedule import periodic
    from .auth.decorators import allow_unauthenticated, needs_scopes
    from .database.errors import DatabaseUnavailable
    from .database.replicas.claims import Claim
    from .database.replicas.leadership import Leadership
    from .database.sessions import Sessions
    from .handlers.base import APIHandler, PageHandler
    from .handlers.errors import InvalidRequest
    from .handlers.sse import EventStream
    from .handlers.websocket import WebSocketHandler
    from .hub.client import HubCalls, HubClient, HubRefused, HubUnavailable
    from .hub.errors import HubResponseTooLarge
    from .hub.models import Group, User
    from .proxy.web_app import WebApp
    from .streaming.channel import Channel

__all__ = [
    "APIHandler",
    "AppError",
    "Channel",
    "Claim",
    "DatabaseUnavailable",
    "EventStream",
    "Group",
    "HubCalls",
    "HubClient",
    "HubRefused",
    "HubResponseTooLarge",
    "HubUnavailable",
    "InvalidRequest",
    "Leadership",
    "PageHandler",
    "ServiceApp",
    "Sessions",
    "User",
    "WebApp",
    "WebSocketHandler",
    "__version__",
    "allow_unauthenticated",
    "needs_scopes",
    "periodic",
]

_HOMES = {
    "APIHandler": ".handlers.base",
    "AppError": ".apps.isolation.containment",
    "Channel": ".streaming.channel",
    "Claim": ".database.replicas.claims",
    "DatabaseUnavailable": ".database.errors",
    "EventStream": ".handlers.sse",
    "Group": ".hub.models",
    "HubCalls": ".hub.client",
    "HubClient": ".hub.client",
    "HubRefused": ".hub.client",
    "HubResponseTooLarge": ".hub.errors",
    "HubUnavailable": ".hub.client",
    "InvalidRequest": ".handlers.errors",
    "Leadership": ".database.replicas.leadership",
    "PageHandler": ".handlers.base",
    "ServiceApp": ".apps.base",
    "Sessions": ".database.sessions",
    "User": ".hub.models",
    "WebApp": ".proxy.web_app",
    "WebSocketHandler": ".handlers.websocket",
    "allow_unauthenticated": ".auth.decorators",
    "needs_scopes": ".auth.decorators",
    "periodic": ".apps.schedule",
}


def __getattr__(name: str) -> Any:
    """Import one of the names above."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
