"""ServiceApp: the base class of apps, and its access to the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .isolation.containment import AppError
from .replication import ReplicatedApp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Set

    from sqlalchemy import Connection, MetaData

    from ..database.sessions import Sessions
    from ..handlers.base import BaseHandler
    from ..hub.client import HubClient
    from ..telemetry.metrics import AppRegistry


def _sync_or_async(
    method: Callable[[Any], Awaitable[None]],
) -> Callable[[Any], Awaitable[None] | None]:
    """Type a method that an app may define as ``def`` or ``async def``."""
    return method


class ServiceApp(ReplicatedApp):
    """A part of the service with its own pages, API and settings, below ``P/<name>/``.

    Attributes:
        name: the app's part of the path: a-z, 0-9 and ``-``.
        title: shown on pages; by default the name.
        description: one sentence about it, for its card on the home page.
        service_scopes: scopes that the service's own token needs for the app.
        user_scopes: scopes that a user's token may carry for the app.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    service_scopes: ClassVar[Set[str]] = frozenset()
    user_scopes: ClassVar[Set[str]] = frozenset()

    #: Whether ``P/<name>/static/`` is the folder ``static`` of the app's package, if it has one.
    serves_static: ClassVar[bool] = True

    #: Whether ``P/<name>`` is the home page, too; else it redirects to ``P/<name>/``.
    serves_bare_path = False

    _databases: tuple[Sessions, ...] = ()
    _registry: AppRegistry | None = None

    def handlers(self) -> list[tuple[Any, ...]]:
        """List the app's paths and handlers.

        Called once for each instance, in a thread, before ``start``.

        Returns:
            ``(path, handler)`` or ``(path, handler, arguments of its initialize)``; a path is a
            regular expression below the app's prefix, and ``""`` is the app's home page.
        """
        return []

    @_sync_or_async
    async def start(self) -> None:
        """Prepare the app. Its paths are available when this returns.

        A plain ``def`` runs in a thread; an ``async def`` must not block.

        If it raises because a database or the hub is not available, the service starts a new
        instance after 1, 2, 4 … 60 seconds, until one has started. ``stop`` is not called on the
        failed instance, so create tasks and threads last. Its databases are closed, and its
        metrics are removed.
        """

    @_sync_or_async
    async def stop(self) -> None:
        """Clean up, in 2 seconds at most. Called only if ``start`` has succeeded."""

    def is_allowed(self, user: Mapping[str, Any]) -> bool:
        """Whether a user who may use the service may open this app. Must not block.

        Asked before each request to the app, again while a stream is open, and for the home page.

        Args:
            user: the hub's model: ``kind`` ("user" or "service"), ``name``, ``groups``, ``scopes``
                and more, https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html
        """
        return True

    def allows(self, user: Mapping[str, Any]) -> bool:
        """``is_allowed``, and False if that fails."""
        try:
            return bool(self.is_allowed(user))
        except (Exception, SystemExit):
            self.log.exception("The app %s cannot tell who may open it", self.name)
            return False

    async def headline(self, handler: BaseHandler) -> str:
        """A current figure for the app's card on the home page, such as "4 servers running".

        Args:
            handler: the request; ``handler.current_user`` and ``handler.as_caller()`` work as in
                the app's own handlers. The user has access to the app.

        Returns:
            A short text; an empty one shows none. It is omitted after a timeout of one second. A
            plain ``def`` runs in a thread.
        """
        return ""

    def open_database(
        self,
        metadata: MetaData,
        upgrade: Callable[[Connection], None] | None = None,
        *,
        setting: str = "database_url",
    ) -> Sessions:
        """Open the app's database: SQLite or PostgreSQL, as the administrator has configured it.

        Missing tables are created. A damaged SQLite file is renamed, and a new one is created.
        The database is closed when the app has stopped. Call this in a plain ``def start``, as it
        blocks.

        Args:
            metadata: the app's tables, as in ``open_database(Base.metadata)``.
            upgrade: changes tables that an earlier version of the app has created. Called at each
                start, unless the database is new, in the transaction that creates missing tables.
            setting: the trait of the app that has the URL.

        Raises:
            AppError: the database cannot be used; the message says what to change.
            RuntimeError: on the event loop.
        """
        # not loaded for apps without a database
        from ..database.database import open_database
        from ..database.errors import DatabaseUnusable
        from ..database.outage import OutageTracker
        from ..database.schema import Schema
        from ..database.sessions import Sessions, forbid_event_loop

        forbid_event_loop()
        name = type(self).__name__
        if not self.has_trait(setting):
            raise AppError(
                f"{name} has no setting {setting}, which open_database reads: give it one,"
                f' {setting} = Unicode("sqlite:///{self.name}.sqlite", help="…").tag(config=True)'
            )
        if self.replica_count > 1 and str(getattr(self, setting)).startswith("sqlite"):
            raise AppError(
                f"c.{name}.{setting} is SQLite, which replicas cannot share: set it to a PostgreSQL"
                " database, or TornadoService.replica_count to 1."
            )
        schema = Schema(f"c.{name}.{setting}", metadata, upgrade)
        try:
            # the whole file: no later check follows
            database = open_database(
                getattr(self, setting),
                schema,
                thorough=True,
                timeout=self._service.database_timeout,
            )
        except DatabaseUnusable as error:
            raise AppError(str(error)) from error
        if database.quarantined_file:
            self.log.error(
                "A damaged database is now %s, and a new one began.", database.quarantined_file
            )
        outages = OutageTracker(f"The database of {schema.setting}", self.log)
        self._service.metrics.show_database(self.name, setting, outages)
        sessions = Sessions(database, outages)
        self._databases = (*self._databases, sessions)
        return sessions

    def close_databases(self) -> None:
        """Close the databases that the app has opened. Blocks, as SQLite cleans up on close."""
        for sessions in self._databases:
            sessions.close()

    @property
    def problem(self) -> str:
        """A problem of the running app, and how to fix it; empty if there is none.

        The status page and ``tornado-service doctor`` show it. Apps may override it; unavailable
        databases are reported in addition.
        """
        return self.trouble

    @property
    def trouble(self) -> str:
        """The former name of ``problem``, which apps may still override."""
        return ""

    @property
    def details(self) -> dict[str, str]:
        """Facts about the running app for administrators, by label, on the Status page.

        Apps may override it. Values may have several lines.
        """
        return {}

    def all_problems(self) -> str:
        """``problem``, and why a database of the app is unavailable."""
        databases = (sessions.trouble for sessions in self._databases)
        return " ".join(filter(None, (str(self.problem), *databases)))

    @property
    def prefix(self) -> str:
        """The path of the app, ``/services/NAME/<name>/``."""
        return f"{self._service.prefix}{self.name}/"

    @property
    def hub(self) -> HubClient:
        """The Hub API with the service's own token. For the user's token, see ``as_caller()``."""
        return self._service.hub

    @property
    def registry(self) -> AppRegistry:
        """The registry for metrics of the app; ``metrics`` includes them.

        ``registry.shared`` makes a metric that several apps have in common, with the label ``app``.
        Metrics of an instance whose ``start`` has failed are removed.
        """
        if self._registry is None:
            self._registry = self._service.metrics.make_app_registry(self.name)
        return self._registry
