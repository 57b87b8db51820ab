"""The choice between one process and several replicas."""

from __future__ import annotations

import logging

from ..config.checks import ConfigError
from .replicas import LocalReplicas, Replicas


def make_replicas(url: str, service: str, log: logging.Logger) -> Replicas:
    """The replicas of a service.

    Args:
        url: ``TornadoService.database_url``; empty for one process.
        service: the service's name in the hub.
        log: for outages.

    Raises:
        ConfigError: the URL is not that of a PostgreSQL database; the message says what to change.
    """
    if not url:
        return LocalReplicas()
    from ..database.errors import DatabaseUnusable  # loaded only if there is a database
    from .shared_replicas import SharedReplicas

    try:
        return SharedReplicas(url, service, log)
    except DatabaseUnusable as error:
        raise ConfigError(str(error)) from None
