"""The apps of one service: imported, started and stopped; none can take another down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from . import config
from .apps import AppError, ServiceApp, class_name, import_app, package_of
from .auth import scopes_needed
from .guard import contained, in_thread, within
from .handlers.base import METHODS
from .log import scrub
from .schedule import Schedule, jobs_of

if TYPE_CHECKING:
    from .app import TornadoService
    from .identity import Identity
    from .routes import AppPages, Route

#: Seconds that an import may take. A slow disk is no fault of the app's.
IMPORT_LIMIT = 120.0

#: Seconds after which the others do not wait for an import any more.
IMPORT_PATIENCE = 5.0

#: Seconds that ``start`` may take.
START_LIMIT = 30.0

#: Seconds that ``stop`` may take.
STOP_LIMIT = 2.0


class AppState(Enum):
    """How an app is."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Mount:
    """One app of the settings, whatever has become of it.

    Attributes:
        spec: how the settings name it.
        name: its part of the address, once it is known and its own.
        package: where its code is, once that may run.
        reason: why it failed, for admins only.
    """

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.name = ""
        self.title = ""
        self.package = ""
        self.state = AppState.LOADING
        self.reason = ""
        self.is_imported = False
        self.app: ServiceApp | None = None
        self.pages: AppPages | None = None
        self.routes: list[Route] = []
        self.schedule: Schedule | None = None

    @property
    def label(self) -> str:
        """Its name, or as much as is known of it."""
        return self.name or class_name(self.spec) or self.spec

    @property
    def is_ready(self) -> bool:
        """Whether it answers."""
        return self.state is AppState.READY

    @property
    def has_failed(self) -> bool:
        """Whether it will not answer."""
        return self.state is AppState.FAILED

    @property
    def is_loading(self) -> bool:
        """Whether it may be ready soon."""
        return self.state is AppState.LOADING

    @property
    def complaint(self) -> str:
        """Why it has failed, or what its app says is wrong although it runs."""
        if not (self.is_ready and self.app):
            return self.reason
        try:
            return str(self.app.trouble)
        except Exception as error:
            self.app.log.exception("The app %s cannot say what is wrong", self.name)
            return f"It cannot say how it is: {type(error).__name__}"

    def build(self, cls: type[ServiceApp], service: TornadoService) -> ServiceApp:
        """Make the app and its routes, with all that reads files. Runs in a thread.

        Raises:
            AppError: the app's settings or handlers are wrong.
        """
        from .routes import (
            AppPages,
            make_routes,
        )  # and with it pydantic: nothing loads that without apps

        try:
            config.check_names(cls, service.config.get(cls.__name__, {}))
        except config.ConfigError as error:
            raise AppError(str(error)) from error
        self.package = package_of(cls)
        app = cls(parent=service)
        self.pages = AppPages(app, self.package)
        self.routes = make_routes(app, self.pages)
        self.schedule = Schedule(app, jobs_of(app), service.metrics)
        return app

    async def stop(self, app: ServiceApp) -> None:
        """Stop its app, and close the databases of it in any case."""
        try:
            await contained(app.stop)
        finally:
            await self.close_databases()

    async def close_databases(self) -> None:
        """Close those that its app has opened; in a thread, as SQLite tidies up then."""
        for sessions in self.app._databases if self.app else ():
            await in_thread(sessions.close, "database of an app")

    def scopes_needed(self) -> set[str]:
        """All scopes that methods of its handlers ask for."""
        methods = (name.lower() for name in METHODS)
        asked = (
            scopes_needed(getattr(route.handler, method))
            for method in methods
            for route in self.routes
        )
        return set().union(*asked)

    def home(self) -> type[Any] | None:
        """The handler of its home page, if it has one."""
        for route in self.routes:
            if re.fullmatch(route.path, ""):
                return route.handler
        return None


class Mounts:
    """All apps of a service."""

    def __init__(self, service: TornadoService) -> None:
        self._service = service
        self._mounts = [Mount(spec) for spec in dict.fromkeys(service.apps)]
        self._by_name: dict[str, Mount] = {}

    def __iter__(self) -> Iterator[Mount]:
        return iter(self._mounts)

    def claim(self, mount: Mount, cls: type[ServiceApp]) -> None:
        """Take an app's name for it.

        Raises:
            AppError: another has it.
        """
        taken = self._by_name.setdefault(cls.name, mount)
        if taken is not mount:
            raise AppError(f"{taken.spec} has the name {cls.name}, too: only that one runs.")
        mount.name, mount.title = cls.name, cls.title or cls.name
        self._service.selfcheck.needed |= cls.service_scopes

    def find(self, name: str) -> Mount | None:
        """The app at an address, or one that could be there for all we know.

        As long as an app has not been imported, nobody knows its name.
        """
        if name in self._by_name:
            return self._by_name[name]
        unknown = [mount for mount in self._mounts if not mount.is_imported]
        unknown.sort(key=lambda mount: not mount.is_loading)
        return unknown[0] if unknown else None

    def openable(self, user: Identity) -> list[Mount]:
        """The apps whose home page a caller may open."""
        auth = self._service.auth
        return [
            mount
            for mount in self._mounts
            if mount.is_ready
            and (home := mount.home())
            and not auth.missing_scopes(scopes_needed(home.get), user)
        ]

    def home_of(self, user: Identity) -> Mount | None:
        """The app that is the home page, for those who may open it."""
        wanted = self._service.home_app
        found = (mount for mount in self.openable(user) if mount.name == wanted)
        return next(found, None) if wanted else None

    def readiness(self) -> dict[str, bool]:
        """Whether each app is ready, by name."""
        checks: dict[str, bool] = {}
        for mount in self._mounts:
            name = f"app {mount.label}"
            checks[name] = mount.is_ready and checks.get(name, True)
        return checks

    def describe(self) -> list[dict[str, str]]:
        """Every app with its state, and why it failed: for admins."""
        return [
            {
                "name": mount.label,
                "app": mount.spec,
                "state": mount.state.value,
                "reason": mount.complaint,
            }
            for mount in self._mounts
        ]

    async def load(self) -> None:
        """Import and start them all; return when each is ready or has failed.

        Imports follow one another, as two threads in one package may each see half of it. One
        that takes long does not hold up the others.
        """
        loading: list[asyncio.Task[None]] = []
        try:
            for mount in self._mounts:
                importing = in_thread(partial(import_app, mount.spec))
                loading.append(asyncio.create_task(self._load(mount, importing)))
                await asyncio.wait({importing}, timeout=IMPORT_PATIENCE)
            await asyncio.gather(*loading)
        finally:
            for task in loading:
                task.cancel()
        home = self._service.home_app
        if home and home not in self._by_name:
            self._service.log.warning("c.TornadoService.home_app: no app has the name %s", home)

    async def _load(self, mount: Mount, importing: asyncio.Future[type[ServiceApp]]) -> None:
        try:
            cls = await within(IMPORT_LIMIT, importing, "its import")
            mount.is_imported = True
            self.claim(mount, cls)
            building = in_thread(partial(mount.build, cls, self._service))
            app = mount.app = await within(START_LIMIT, building, "handlers()")
            await within(START_LIMIT, contained(app.start), "start()")
        except AppError as error:
            self._fail(mount, str(error))
        except Exception as error:
            self._fail(mount, f"{type(error).__name__}: {error}", error)
        else:
            mount.state = AppState.READY
            if mount.schedule:
                mount.schedule.start()
            self._service.log.info("App %s is ready at %s", mount.name, app.prefix)
            self._warn_of_scopes(mount, cls)
        finally:
            if not mount.is_ready:
                await mount.close_databases()

    def _warn_of_scopes(self, mount: Mount, cls: type[ServiceApp]) -> None:
        """Say which of an app's own scopes no browser can have: the hub leaves them out."""
        unknown = {scope for scope in mount.scopes_needed() if scope.startswith("custom:")}
        unknown -= cls.user_scopes
        if unknown:
            self._service.log.warning(
                "App %s asks for %s, which no sign-in carries: name it in %s.user_scopes",
                mount.name,
                ", ".join(sorted(unknown)),
                cls.__name__,
            )

    def _fail(self, mount: Mount, reason: str, error: Exception | None = None) -> None:
        mount.reason = scrub(reason)
        mount.state = AppState.FAILED
        self._service.log.error("App %s failed: %s", mount.spec, reason, exc_info=error)

    @property
    def stop_limit(self) -> float:
        """Seconds of the shutdown that belong to the apps."""
        ready = any(mount.is_ready for mount in self._mounts)
        return min(STOP_LIMIT, self._service.shutdown_grace / 2) if ready else 0

    async def stop(self) -> None:
        """Stop all that have been started, at once, each in a bound of time."""
        limit = self.stop_limit
        ready = [mount for mount in self._mounts if mount.is_ready]
        await asyncio.gather(*(self._stop(mount, limit) for mount in ready))

    async def _stop(self, mount: Mount, limit: float) -> None:
        app: Any = mount.app
        try:
            if mount.schedule:
                limit -= await mount.schedule.stop(limit / 2)
            await within(limit, mount.stop(app), "stop()")
        except AppError as error:
            self._service.log.error("App %s: %s", app.name, error)
        except Exception:
            self._service.log.exception("App %s: stop() failed", app.name)
