"""The service's objects for handlers; ``self.context`` in each of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from ..auth.service_auth import ServiceAuth
from ..hub.client import HubClient
from ..streaming.registry import Streams
from ..streaming.replicas import LocalReplicas, Replicas
from ..telemetry.metrics import Metrics


@dataclass
class ServiceContext:
    """The parts of a service that handlers of the core and of apps use.

    Attributes:
        name: the service's name in the hub.
        title: the service's name in the menu and the titles of pages; if empty, ``name``.
        prefix: ``/services/NAME/``, preceded by the hub's base URL.
        public_https: whether ``JUPYTERHUB_PUBLIC_URL`` says that browsers use https.
        public_host: host and port in that URL; empty if it is not set.
        replicas: the replicas of the service, this one included.
        open_requests: number of requests without a complete response; handlers count them.
        is_stopping: whether the service has been told to stop, and finishes open requests.
    """

    name: str
    prefix: str
    log: logging.Logger
    auth: ServiceAuth
    hub: HubClient
    metrics: Metrics
    streams: Streams
    public_https: bool = False
    public_host: str = ""
    title: str = ""
    replicas: Replicas = field(default_factory=LocalReplicas)
    open_requests: int = 0
    is_stopping: bool = False
