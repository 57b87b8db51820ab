"""The interface of the service that apps use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from traitlets.config import Config

    from ..hub.client import HubClient
    from ..streaming.replicas import Replicas
    from ..telemetry.metrics import Metrics


class AppParent(Protocol):
    """The interface of the service that apps use."""

    config: Config
    hub: HubClient
    metrics: Metrics
    database_timeout: float
    database_url: str
    replica_count: int
    replicas: Replicas

    @property
    def prefix(self) -> str:
        """``/services/NAME/``, preceded by the hub's base URL."""

    def without_secrets(self, text: str) -> str:
        """Redact secrets in a text, such as that of an error, before it is shown."""
