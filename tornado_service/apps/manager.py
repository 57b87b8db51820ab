"""The apps of one service: imports, starts and stops them, isolated from each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from ..auth.decorators import scopes_needed
from .base import ServiceApp
from .isolation.containment import AppError, call_contained, run_in_daemon_thread, with_timeout
from .loader import AppSource, validate_app_class
from .mounted import AppState, MountedApp
from .retry import backoff_delays, describe_error, transient_cause

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..auth.identity_cache import Identity
    from ..handlers.context import ServiceContext
    from .parent import AppParent

#: Seconds that an import may take, generous because of slow disks.
IMPORT_TIMEOUT = 120.0

#: Seconds after which the other apps no longer wait for an import.
MAX_IMPORT_WAIT = 5.0

#: Seconds to wait for the database that replicas share.
CONNECT_TIMEOUT = 5.0

#: Seconds that ``start`` may take.
START_TIMEOUT = 30.0

#: Seconds that ``stop`` may take.
STOP_TIMEOUT = 2.0


class AppManager:
    """All apps of a service.

    Args:
        context: the parts of the service that handlers use.
        sources: the apps from the settings.
        parent: the parent for the configuration of the apps.
        env: the core's templates.
        home_app: the name of the app that opens at the service's URL; empty for the only app.
        shutdown_grace: seconds within which the whole service has to stop.
    """

    def __init__(
        self,
        context: ServiceContext,
        sources: Iterable[AppSource],
        parent: AppParent,
        env: Environment,
        home_app: str = "",
        shutdown_grace: float = 2 * STOP_TIMEOUT,
    ) -> None:
        self._context = context
        self._log = context.log
        self._parent = parent
        self._env = env
        self._home_app = home_app
        self._shutdown_grace = shutdown_grace
        #: The scopes that apps declare for the service's own token.
        self.service_scopes: frozenset[str] = frozenset()
        sources = list({source.spec: source for source in sources}.values())
        self._apps = [MountedApp(source.spec) for source in sources]
        self._imports = {source.spec: source.load for source in sources}
        self._by_name: dict[str, MountedApp] = {}
        self._retries: set[asyncio.Task[None]] = set()
        for state in AppState:
            context.metrics.show_apps(state.value, partial(self._count, state))

    def _count(self, state: AppState) -> int:
        return sum(mounted.state is state for mounted in self._apps)

    def __iter__(self) -> Iterator[MountedApp]:
        return iter(self._apps)

    def register_name(self, mounted: MountedApp, cls: type[ServiceApp]) -> None:
        """Reserve a name for an app.

        Raises:
            AppError: another app has the name.
        """
        taken = self._by_name.setdefault(cls.name, mounted)
        if taken is not mounted:
            raise AppError(f"{taken.spec} has the name {cls.name}, too: only that one runs.")
        mounted.name, mounted.title = cls.name, cls.title or cls.name
        mounted.description = cls.description
        if self.only_app() is mounted and not self._context.title:
            self._context.title = mounted.title
        self.service_scopes |= cls.service_scopes

    def find(self, name: str) -> MountedApp | None:
        """The app at a path, or one that may turn out to be there.

        The name of an app is unknown until the app has been imported.
        """
        if name in self._by_name:
            return self._by_name[name]
        unknown = [mounted for mounted in self._apps if not mounted.is_imported]
        unknown.sort(key=lambda mounted: not mounted.is_loading)
        return unknown[0] if unknown else None

    def get(self, name: str) -> ServiceApp:
        """The app with a name, if it has been created.

        Raises:
            LookupError: there is none; the message lists the existing names.
        """
        apps = {mounted.name: mounted.app for mounted in self._apps if mounted.app}
        if name not in apps:
            names = ", ".join(sorted(apps)) or "none"
            raise LookupError(f"no app has the name {name!r}; there are: {names}")
        return apps[name]

    def accessible_to(self, user: Identity) -> list[MountedApp]:
        auth = self._context.auth
        return [
            mounted
            for mounted in self._apps
            if mounted.is_ready
            and (home := mounted.home_handler())
            and not auth.missing_scopes(scopes_needed(home.get), user)
            and mounted.is_allowed(user)
        ]

    def only_app(self) -> MountedApp | None:
        return self._apps[0] if len(self._apps) == 1 else None

    def home_app_of(self, user: Identity) -> MountedApp | None:
        """The app that opens at the service's URL, if the user has access to it."""
        only = self.only_app()
        name = self._home_app or (only.name if only else "")
        apps = (mounted for mounted in self.accessible_to(user) if mounted.name == name)
        return next(apps, None) if name else None

    def readiness(self) -> dict[str, bool]:
        checks: dict[str, bool] = {}
        names: Counter[str] = Counter()
        for mounted in self._apps:
            name = f"app {mounted.display_name}"
            names[name] += 1
            if names[name] > 1:  # apps that failed to import may have classes of the same name
                name += f" {names[name]}"
            checks[name] = mounted.is_ready
        return checks

    def statuses(self) -> list[dict[str, Any]]:
        """All apps with state and failure reason, for administrators."""
        return [
            {
                "name": mounted.display_name,
                "app": mounted.spec,
                "state": mounted.state.value,
                "reason": mounted.problem,
                "details": mounted.details,
            }
            for mounted in self._apps
        ]

    async def load(self) -> None:
        """Import and start all apps; return when each is ready, has failed or is being retried.

        Imports run one after another, as two threads may each see a partially imported package. A
        slow import does not delay the others.
        """
        replicas, auth = self._context.replicas, self._context.auth
        replicas.start(auth.identities.revoke_tokens, auth.cache_size)
        loading: list[asyncio.Task[None]] = []
        try:
            for mounted in self._apps:
                importing = run_in_daemon_thread(self._imports[mounted.spec])
                loading.append(asyncio.create_task(self._load(mounted, importing)))
                await asyncio.wait({importing}, timeout=MAX_IMPORT_WAIT)
            await asyncio.gather(*loading)
        finally:
            for task in loading:
                task.cancel()
        # of earlier sign-outs: before this replica is ready for requests
        await replicas.wait_until_connected(CONNECT_TIMEOUT)
        home = self._home_app
        if home and home not in self._by_name:
            self._log.warning("c.TornadoService.home_app: no app has the name %s", home)

    async def _load(self, mounted: MountedApp, importing: asyncio.Future[type[ServiceApp]]) -> None:
        try:
            cls = await with_timeout(IMPORT_TIMEOUT, importing, "its import")
            mounted.is_imported = True
            self.register_name(mounted, validate_app_class(cls, mounted.spec))
        except Exception as error:
            self._mark_failed(mounted, error)
            return
        await self._start(mounted, cls)
        if mounted.is_retrying:
            self._retries.add(asyncio.create_task(self._retry(mounted, cls)))

    async def _start(self, mounted: MountedApp, cls: type[ServiceApp]) -> None:
        try:
            building = run_in_daemon_thread(partial(mounted.build, cls, self._parent, self._env))
            app = await with_timeout(START_TIMEOUT, building, "handlers()")
            await with_timeout(START_TIMEOUT, call_contained(app.start), "start()")
        except Exception as error:
            if cause := transient_cause(error):
                self._mark_retrying(mounted, error, cause)
            else:
                self._mark_failed(mounted, error)
        else:
            mounted.state, mounted.reason = AppState.READY, ""
            app.join_replicas()
            if mounted.schedule:
                mounted.schedule.start()
            self._log.info("App %s is ready at %s", mounted.name, app.prefix)
            self._warn_about_undeclared_scopes(mounted, cls)
        finally:
            if not mounted.is_ready:
                await mounted.discard()

    async def _retry(self, mounted: MountedApp, cls: type[ServiceApp]) -> None:
        """Start a new instance of an app with growing delays; nothing of earlier ones is reused."""
        for pause in backoff_delays():
            await asyncio.sleep(pause)
            await self._start(mounted, cls)
            if not mounted.is_retrying:
                return

    def _mark_retrying(self, mounted: MountedApp, error: Exception, cause: BaseException) -> None:
        """Record the reason; the log has a line for each new reason, not for each retry."""
        reason = describe_error(cause)
        if error is not cause and not isinstance(error, AppError):
            said = str(error).partition("\n")[0]
            reason = f"{type(error).__name__}: {said} ({reason})"
        before, mounted.reason = mounted.reason, self._parent.without_secrets(reason)
        mounted.state = AppState.RETRYING
        if mounted.reason != before:
            self._log.warning(
                "App %s cannot start yet, and is tried again: %s", mounted.name, reason
            )
        self._log.debug("App %s cannot start yet", mounted.name, exc_info=error)

    def _warn_about_undeclared_scopes(self, mounted: MountedApp, cls: type[ServiceApp]) -> None:
        """Warn of an app's own scopes that no session can have: the hub leaves them out."""
        unknown = {scope for scope in mounted.required_scopes() if scope.startswith("custom:")}
        unknown -= cls.user_scopes
        if unknown:
            self._log.warning(
                "App %s requires %s, which no session carries: add it to %s.user_scopes",
                mounted.name,
                ", ".join(sorted(unknown)),
                cls.__name__,
            )

    def _mark_failed(self, mounted: MountedApp, error: Exception) -> None:
        cause = error.__cause__ if isinstance(error, AppError) else error
        reason = str(error) if isinstance(error, AppError) else f"{type(error).__name__}: {error}"
        mounted.reason = self._parent.without_secrets(reason)
        mounted.state = AppState.FAILED
        self._log.error("App %s failed: %s", mounted.spec, reason, exc_info=cause)

    @property
    def stop_timeout(self) -> float:
        """Seconds of the shutdown that are reserved for the apps."""
        ready = any(mounted.is_ready for mounted in self._apps)
        return min(STOP_TIMEOUT, self._shutdown_grace / 2) if ready else 0

    async def stop(self) -> None:
        """Stop all started apps concurrently, each with a time limit; retry none again."""
        for task in self._retries:
            task.cancel()
        limit = self.stop_timeout
        stopping = [self._stop(mounted, limit) for mounted in self._apps if mounted.is_ready]
        if self._retries:
            stopping.append(self._wait_for_retries())
        await asyncio.gather(*stopping)
        await self._context.replicas.close()

    async def _wait_for_retries(self) -> None:
        """Wait until pending retries have closed what they opened."""
        await asyncio.wait(self._retries, timeout=STOP_TIMEOUT / 2)

    async def _stop(self, mounted: MountedApp, limit: float) -> None:
        app: Any = mounted.app
        try:
            if mounted.schedule:
                limit -= await mounted.schedule.stop(limit / 2)
            await with_timeout(limit, mounted.stop(app), "stop()")
        except AppError as error:
            self._log.error("App %s: %s", app.name, error)
        except Exception:
            self._log.exception("App %s: stop() failed", app.name)
