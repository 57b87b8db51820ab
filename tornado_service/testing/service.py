"""The service itself, started in the process of the tests."""

import logging
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any, Protocol

from traitlets.config import Config

from ..app import TornadoService
from ..apps.isolation.containment import AppError
from ..apps.loader import import_app
from ..server.process import bind
from .fake_hub import SERVICE_TOKEN, StandInHub

#: The service's path at the fake hub.
PREFIX = "/services/tornado-service/"

#: Settings by the name of their class, as ``c.Reports.limit = 5`` in a config file.
ServiceConfig = Mapping[str, Mapping[str, Any]]

_LOGGERS = ("TornadoService", "tornado", "tornado.application", "tornado_service")


class StartService(Protocol):
    """The fixture ``start_service``."""

    def __call__(
        self, *, load: bool = True, **settings: Mapping[str, Any]
    ) -> Awaitable[TornadoService]:
        """Start one more service.

        Args:
            load: whether to load the apps; else call ``service.app_manager.load()``, which does not
                raise if an app fails.
            settings: as in ``service_config``.

        Raises:
            AppError: an app has failed; the message is the one for administrators.
        """


def make_config(hub: StandInHub, **settings: Any) -> Config:
    """The settings from the hub's environment and an administrator's file."""
    config = Config(
        TornadoService={
            "service_name": hub.service_name,
            "service_url": "http://127.0.0.1:10101",
        },
        ServiceAuth={
            "api_url": hub.api_url,
            "api_token": SERVICE_TOKEN,
            "base_url": PREFIX,
            "oauth_client_id": f"service-{hub.service_name}",
            "access_scopes": {"access:services", f"access:services!service={hub.service_name}"},
        },
    )
    config.merge(Config(settings))
    return config


@asynccontextmanager
async def service_starter(hub: StandInHub) -> AsyncIterator[StartService]:
    """Start services on free ports of 127.0.0.1, and stop all of them."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_restored_loggers())

        async def start(*, load: bool = True, **settings: Mapping[str, Any]) -> TornadoService:
            service = TornadoService(config=make_config(hub, **settings))
            service.initialize([])
            await stack.enter_async_context(_running_service(service))
            if load:
                for spec in service.apps:
                    with suppress(Exception, SystemExit):  # loading it shows why it fails
                        hub.service_scopes |= import_app(spec).service_scopes
                await service.app_manager.load()
                if reasons := [
                    f"{mounted.spec} does not run: {mounted.reason}"
                    for mounted in service.app_manager
                    if not mounted.is_ready
                ]:
                    raise AppError("\n".join(reasons))
            return service

        yield start


@asynccontextmanager
async def _running_service(service: TornadoService) -> AsyncIterator[None]:
    sockets = bind(0, "127.0.0.1")
    service.port = sockets[0].getsockname()[1]
    server = service.make_server(sockets)
    server.start()
    try:
        yield
    finally:
        server.stop_immediately()
        await service.close_server(server)
        await service.close()


@contextmanager
def _restored_loggers() -> Iterator[None]:
    """Restore the loggers that the service reconfigures."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    kept = [
        (log, log.level, log.handlers[:], log.filters[:], log.parent, log.propagate)
        for log in loggers
    ]
    try:
        yield
    finally:
        for log, level, handlers, filters, parent, propagate in kept:
            log.setLevel(level)
            log.handlers[:], log.filters[:] = handlers, filters
            log.parent, log.propagate = parent, propagate
