"""The apps of one service: imported, started and stopped; none can take another down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ..auth.decorators import scopes_needed
from .base import ServiceApp
from .isolation.containment import AppError, contained, in_thread, within
from .loader import import_app
from .mounted import AppState, Mount
from .retry import explain, pauses, transient_cause

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..auth.identity_cache import Identity
    from ..handlers.context import ServiceContext
    from .base import AppParent

#: Seconds that an import may take. A slow disk is no fault of the app's.
IMPORT_LIMIT = 120.0

#: Seconds after which the others do not wait for an import any more.
IMPORT_PATIENCE = 5.0

#: Seconds that ``start`` may take.
START_LIMIT = 30.0

#: Seconds that ``stop`` may take.
STOP_LIMIT = 2.0


class Mounts:
    """All apps of a service.

    Args:
        context: what the apps' handlers know of the service.
        specs: how the settings name the apps.
        parent: gives the apps their settings.
        env: the core's templates.
        home_app: the name of the app that is the home page; empty for none.
        shutdown_grace: seconds that the whole service has to stop.
    """

    def __init__(
        self,
        context: ServiceContext,
        specs: Iterable[str],
        parent: AppParent,
        env: Environment,
        home_app: str = "",
        shutdown_grace: float = 2 * STOP_LIMIT,
    ) -> None:
        self._context = context
        self._log = context.log
        self._parent = parent
        self._env = env
        self._home_app = home_app
        self._shutdown_grace = shutdown_grace
        #: The scopes that apps have declared for the service's own token.
        self.service_scopes: frozenset[str] = frozenset()
        self._mounts = [Mount(spec) for spec in dict.fromkeys(specs)]
        self._by_name: dict[str, Mount] = {}
        self._retries: set[asyncio.Task[None]] = set()
        for state in AppState:
            context.metrics.show_apps(state.value, partial(self._count, state))

    def _count(self, state: AppState) -> int:
        return sum(mount.state is state for mount in self._mounts)

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
        self.service_scopes |= cls.service_scopes

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
        auth = self._context.auth
        return [
            mount
            for mount in self._mounts
            if mount.is_ready
            and (home := mount.home())
            and not auth.missing_scopes(scopes_needed(home.get), user)
        ]

    def home_of(self, user: Identity) -> Mount | None:
        """The app that is the home page, for those who may open it."""
        wanted = self._home_app
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
        """Import and start them all; return when each is ready, has failed or is tried again.

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
        home = self._home_app
        if home and home not in self._by_name:
            self._log.warning("c.TornadoService.home_app: no app has the name %s", home)

    async def _load(self, mount: Mount, importing: asyncio.Future[type[ServiceApp]]) -> None:
        try:
            cls = await within(IMPORT_LIMIT, importing, "its import")
            mount.is_imported = True
            self.claim(mount, cls)
        except Exception as error:
            self._fail(mount, error)
            return
        await self._start(mount, cls)
        if mount.is_retrying:
            self._retries.add(asyncio.create_task(self._retry(mount, cls)))

    async def _start(self, mount: Mount, cls: type[ServiceApp]) -> None:
        """Make an app and start it: once."""
        try:
            building = in_thread(partial(mount.build, cls, self._parent, self._env))
            app = await within(START_LIMIT, building, "handlers()")
            await within(START_LIMIT, contained(app.start), "start()")
        except Exception as error:
            if cause := transient_cause(error):
                self._try_later(mount, error, cause)
            else:
                self._fail(mount, error)
        else:
            mount.state, mount.reason = AppState.READY, ""
            if mount.schedule:
                mount.schedule.start()
            self._log.info("App %s is ready at %s", mount.name, app.prefix)
            self._warn_of_scopes(mount, cls)
        finally:
            if not mount.is_ready:
                await mount.discard()

    async def _retry(self, mount: Mount, cls: type[ServiceApp]) -> None:
        """Start an app again, with growing pauses; what an earlier try has left is not used."""
        for pause in pauses():
            await asyncio.sleep(pause)
            await self._start(mount, cls)
            if not mount.is_retrying:
                return

    def _try_later(self, mount: Mount, error: Exception, cause: BaseException) -> None:
        """Note why; the log has a line for each new reason, and not one for each try."""
        reason = explain(cause)
        if error is not cause and not isinstance(error, AppError):
            said = str(error).partition("\n")[0]
            reason = f"{type(error).__name__}: {said} ({reason})"
        before, mount.reason = mount.reason, self._parent.without_secrets(reason)
        mount.state = AppState.RETRYING
        if mount.reason != before:
            self._log.warning("App %s cannot start yet, and is tried again: %s", mount.name, reason)
        self._log.debug("App %s cannot start yet", mount.name, exc_info=error)

    def _warn_of_scopes(self, mount: Mount, cls: type[ServiceApp]) -> None:
        """Say which of an app's own scopes no browser can have: the hub leaves them out."""
        unknown = {scope for scope in mount.scopes_needed() if scope.startswith("custom:")}
        unknown -= cls.user_scopes
        if unknown:
            self._log.warning(
                "App %s asks for %s, which no sign-in carries: name it in %s.user_scopes",
                mount.name,
                ", ".join(sorted(unknown)),
                cls.__name__,
            )

    def _fail(self, mount: Mount, error: Exception) -> None:
        is_ours = isinstance(error, AppError)
        reason = str(error) if is_ours else f"{type(error).__name__}: {error}"
        mount.reason = self._parent.without_secrets(reason)
        mount.state = AppState.FAILED
        self._log.error(
            "App %s failed: %s", mount.spec, reason, exc_info=None if is_ours else error
        )

    @property
    def stop_limit(self) -> float:
        """Seconds of the shutdown that belong to the apps."""
        ready = any(mount.is_ready for mount in self._mounts)
        return min(STOP_LIMIT, self._shutdown_grace / 2) if ready else 0

    async def stop(self) -> None:
        """Stop all that have been started, at once, each in a bound of time; try none again."""
        for task in self._retries:
            task.cancel()
        limit = self.stop_limit
        stopping = [self._stop(mount, limit) for mount in self._mounts if mount.is_ready]
        if self._retries:
            stopping.append(self._end_retries())
        await asyncio.gather(*stopping)

    async def _end_retries(self) -> None:
        """Let tries that are under way close what they have opened."""
        await asyncio.wait(self._retries, timeout=STOP_LIMIT / 2)

    async def _stop(self, mount: Mount, limit: float) -> None:
        app: Any = mount.app
        try:
            if mount.schedule:
                limit -= await mount.schedule.stop(limit / 2)
            await within(limit, mount.stop(app), "stop()")
        except AppError as error:
            self._log.error("App %s: %s", app.name, error)
        except Exception:
            self._log.exception("App %s: stop() failed", app.name)
