"""ServiceApp: what an app is, and what is refused as one."""

from __future__ import annotations

import importlib
import re
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets.config import LoggingConfigurable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Set

    from sqlalchemy import Connection, MetaData

    from ..database.sessions import Sessions
    from ..hub.client import HubClient
    from ..telemetry.metrics import AppRegistry

#: First parts of paths that are the core's own.
RESERVED = frozenset(
    {"api", "docs", "health", "logout", "metrics", "oauth_callback", "static", "status"}
)

#: The group of entry points that name apps.
GROUP = "tornado_service.apps"

_NAME = re.compile(r"[a-z0-9-]+")


class AppError(Exception):
    """Why an app cannot run, in words for an admin."""


def _either(method: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None] | None]:
    """Let an app write it as a plain ``def``, too."""
    return method


class ServiceApp(LoggingConfigurable):
    """A part of the service with pages, an API and settings of its own, below ``P/<name>/``.

    Attributes:
        name: its part of the address: a-z, 0-9 and ``-``.
        title: what people read; by default the name.
        service_scopes: what the service's own token needs for it.
        user_scopes: what a visitor's token may carry for it.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    service_scopes: ClassVar[Set[str]] = frozenset()
    user_scopes: ClassVar[Set[str]] = frozenset()

    _databases: tuple[Sessions, ...] = ()
    _registry: AppRegistry | None = None

    def handlers(self) -> list[tuple[Any, ...]]:
        """What answers where.

        Called once for each instance, in a thread, before ``start``.

        Returns:
            ``(path, handler)`` or ``(path, handler, arguments of its initialize)``; a path is a
            regular expression below the app's own address, and ``""`` is its home.
        """
        return []

    @_either
    async def start(self) -> None:
        """Get ready. The app's addresses answer when this has ended.

        A plain ``def`` runs in a thread; an ``async def`` must not block.

        If it raises because a database or the hub is away, the service makes a new instance and
        starts that, after 1, 2, 4 … 60 seconds, until one has started. ``stop`` is not called on
        the old one: begin tasks and threads last. Its databases are closed, its metrics removed.
        """

    @_either
    async def stop(self) -> None:
        """Clean up, in 2 seconds at most, as ``start``. Called if that has ended well."""

    def open_database(
        self,
        metadata: MetaData,
        upgrade: Callable[[Connection], None] | None = None,
        *,
        setting: str = "database_url",
    ) -> Sessions:
        """Open the app's database: SQLite or PostgreSQL, as its admin has set it.

        Tables that are missing are made. A damaged SQLite file is put aside, and a new one begun.
        It is closed when the app has stopped. Call this in a plain ``def start``: it blocks.

        Args:
            metadata: the app's tables, as in ``open_database(Base.metadata)``.
            upgrade: changes tables that an earlier version of the app has made. Called each time,
                if there are any, in the transaction that makes those that are missing.
            setting: the trait of the app that has the URL.

        Raises:
            AppError: the database cannot be used; the message says what to change.
            RuntimeError: on the event loop.
        """
        from ..database.sessions import open_sessions  # not loaded for apps without one

        sessions = open_sessions(self, setting, metadata, upgrade)
        self._databases = (*self._databases, sessions)
        return sessions

    @property
    def trouble(self) -> str:
        """What is wrong although the app runs, and what to set; empty if nothing is.

        Admins read it at ``status``, and ``tornado-service doctor`` says it.
        """
        return ""

    @property
    def prefix(self) -> str:
        """The app's own address, ``/services/NAME/<name>/``."""
        service: Any = self.parent
        return f"{service.prefix}{self.name}/"

    @property
    def hub(self) -> HubClient:
        """The hub, asked with the service's own token. Handlers have ``as_caller()``, too."""
        service: Any = self.parent
        return service.hub

    @property
    def registry(self) -> AppRegistry:
        """Where the app's own metrics go, to be shown with all others at ``metrics``.

        What was registered by an instance whose ``start`` has failed is removed.
        """
        if self._registry is None:
            service: Any = self.parent
            self._registry = service.metrics.registry_of_app()
        return self._registry


def vet(cls: Any, spec: str) -> type[ServiceApp]:
    """See that something is an app and says of itself what it must.

    Args:
        cls: what was imported.
        spec: how the settings name it.

    Raises:
        AppError: it is none, or a name or scopes are wrong.
    """
    if not (isinstance(cls, type) and issubclass(cls, ServiceApp)):
        raise AppError(f"{spec} is no subclass of tornado_service.ServiceApp.")
    if not isinstance(cls.name, str) or not _NAME.fullmatch(cls.name):
        raise AppError(f"{cls.__name__}.name is {cls.name!r}: it takes a-z, 0-9 and - only.")
    if cls.name in RESERVED:
        raise AppError(f"{cls.__name__}.name is {cls.name!r}, an address of the service itself.")
    for attribute in ("service_scopes", "user_scopes"):
        if not isinstance(getattr(cls, attribute), (set, frozenset)):
            raise AppError(f'{cls.__name__}.{attribute} is no set, such as {{"list:users"}}.')
    return cls


def package_of(cls: type[ServiceApp]) -> str:
    """The package that has an app's templates and static files, or the module that is in none."""
    spec = find_spec(cls.__module__)
    if spec is None or spec.submodule_search_locations is not None:
        return cls.__module__
    return spec.parent or cls.__module__


def import_app(spec: str) -> type[ServiceApp]:
    """The class of an app.

    Args:
        spec: ``my_module:MyApp``, or the name of an entry point.

    Raises:
        AppError: there is none, or it is no app. An import may raise anything else besides.
    """
    module, name = locate(spec)
    if not module:
        raise AppError(
            f"{spec}: no installed package names an app so; write a class as my_module:MyApp."
        )
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise AppError(f"{spec}: {error}. Is it installed where the service runs?") from error
    if not hasattr(found, name):
        raise AppError(f"{spec}: {module} has no {name}.")
    cls = vet(getattr(found, name), spec)
    if cls.__name__ != class_name(spec):
        raise AppError(f"{spec} is another name of {cls.__name__}: use that, its settings do.")
    return cls


def class_name(spec: str) -> str:
    """The name of an app's class, without importing it; empty if that is not known."""
    return locate(spec)[1]


@cache
def locate(spec: str) -> tuple[str, str]:
    """The module and the class of an app, both empty if it is an entry point that is not there."""
    if ":" not in spec:
        for point in entry_points(group=GROUP, name=spec):
            return point.module, point.attr
    module, _, name = spec.replace(":", ".").rpartition(".")
    return (module, name) if module else ("", "")
