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
        ConfigError: the URL is not that of a PostgreSQL database, or this is the single file, which
            has no replicas; the message says what to change.
    """
    if not url:
        return LocalReplicas()
    from ..database.errors import DatabaseUnusable  # loaded only if there is a database

    try:
        from .shared_replicas import SharedReplicas
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.shared_replicas":
            raise
        raise ConfigError(
            "The single file does without replicas: set no TornadoService.database_url, or run the"
            " service from an image or where the package is installed."
        ) from None
    try:
        return SharedReplicas(url, service, log)
    except DatabaseUnusable as error:
        raise ConfigError(str(error)) from None
