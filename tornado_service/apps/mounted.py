"""One app from the settings, with its state."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError

from ..auth.decorators import METHODS, scopes_needed
from ..config.checks import ConfigError, check_names
from ..service_unavailable import ServiceUnavailable
from ..telemetry.redaction import redact_text
from .base import ServiceApp
from .isolation.containment import AppError, call_contained, run_in_daemon_thread, with_timeout
from .loader import class_name, package_of
from .schedule import Schedule, periodic_jobs

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..auth.identity_cache import Identity
    from ..handlers.base import BaseHandler
    from ..handlers.templates import AppTemplates
    from .parent import AppParent
    from .routes import Route


#: Seconds that ``headline`` may take.
HEADLINE_TIMEOUT = 1.0


class AppState(Enum):
    """Whether an app serves requests, or will."""

    LOADING = "loading"
    RETRYING = "retrying"
    READY = "ready"
    FAILED = "failed"


class MountedApp:
    """One app from the settings, in any state.

    Attributes:
        spec: how the settings name it.
        name: its path segment, once known and reserved.
        package: the package of its code, once that may run.
        reason: why it failed or is being retried; for administrators only.
    """

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.name = ""
        self.title = ""
        self.description = ""
        self.package = ""
        self.state = AppState.LOADING
        self.reason = ""
        self.is_imported = False
        self.app: ServiceApp | None = None
        self.templates: AppTemplates | None = None
        self.routes: list[Route] = []
        self.schedule: Schedule | None = None
        self._blocked_calls = 0
        self._last_blocked_call = ""

    @property
    def display_name(self) -> str:
        """Its name, or as much of it as is known."""
        return self.name or class_name(self.spec) or self.spec

    @property
    def is_ready(self) -> bool:
        return self.state is AppState.READY

    @property
    def is_retrying(self) -> bool:
        """Whether its start has failed with a transient error and is being retried."""
        return self.state is AppState.RETRYING

    @property
    def has_failed(self) -> bool:
        return self.state is AppState.FAILED

    @property
    def is_loading(self) -> bool:
        return self.state is AppState.LOADING

    @property
    def problem(self) -> str:
        """Why it has failed, or a problem of the running app."""
        if not (self.is_ready and self.app):
            return self.reason
        try:
            problem = redact_text(self.app.all_problems())
        except (Exception, SystemExit) as error:
            self.app.log.exception("The app %s cannot report its problems", self.name)
            problem = f"It cannot report its problems: {type(error).__name__}"
        if self._blocked_calls:
            times = "once" if self._blocked_calls == 1 else f"{self._blocked_calls} times"
            problem += f" It blocked the event loop {times}, last at {self._last_blocked_call}."
        return problem.lstrip()

    @property
    def details(self) -> dict[str, str]:
        """The app's own facts for administrators."""
        if not (self.is_ready and self.app):
            return {}
        try:
            details = self.app.details.items()
            return {str(label): redact_text(str(text)) for label, text in details}
        except (Exception, SystemExit):
            self.app.log.exception("The app %s cannot report its details", self.name)
            return {}

    def is_allowed(self, user: Identity) -> bool:
        return self.app is not None and self.app.allows(user)

    def record_blocked_call(self, location: str) -> None:
        """Count a call of its code that blocked the event loop; administrators see the count."""
        self._blocked_calls += 1
        now = datetime.now(timezone.utc)
        self._last_blocked_call = f"{now:%Y-%m-%d %H:%M:%S} UTC: {location}"

    def build(self, cls: type[ServiceApp], parent: AppParent, env: Environment) -> ServiceApp:
        """Create the app and its routes, including all reads of files. Runs in a thread.

        Called again for each retry; its results are not used until the app is ready.

        Raises:
            AppError: the app's settings or handlers are invalid.
        """
        # here, as it loads pydantic, which a service without apps does not need
        from .routes import make_routes, make_templates

        try:
            check_names(cls, parent.config.get(cls.__name__, {}))
        except ConfigError as error:
            raise AppError(str(error)) from error
        self.package = package_of(cls)
        app = self.app = cls(parent=parent)
        self.templates = make_templates(app, self.package, env)
        self.routes = make_routes(app, self.templates)
        self.schedule = Schedule(app, periodic_jobs(app), parent.metrics, parent.replicas)
        return app

    async def stop(self, app: ServiceApp) -> None:
        try:
            await call_contained(app.stop)
        finally:
            app.leave_replicas()
            await self.close_databases()

    async def discard(self) -> None:
        """Release what its app has opened and registered before its start failed."""
        if self.app:
            self.app.registry.clear()
            self.app.leave_replicas()
        await self.close_databases()

    async def close_databases(self) -> None:
        """Close the databases of its app; in a thread, as SQLite cleans up on close."""
        if self.app:
            await run_in_daemon_thread(self.app.close_databases, "database of an app")

    async def headline(self, handler: BaseHandler) -> str:
        """The app's headline for the home page; empty if it has none, fails or times out."""
        app = self.app
        if app is None:
            return ""
        try:
            headline = call_contained(partial(app.headline, handler))
            return str(await with_timeout(HEADLINE_TIMEOUT, headline, "headline()"))
        except (HTTPError, ServiceUnavailable, AppError):  # temporarily unavailable
            return ""
        except Exception:
            app.log.exception("App %s: headline() failed", self.name)
            return ""

    def required_scopes(self) -> set[str]:
        """All scopes that methods of its handlers require."""
        methods = (name.lower() for name in METHODS)
        scopes = (
            scopes_needed(getattr(route.handler, method))
            for method in methods
            for route in self.routes
        )
        return set().union(*scopes)

    def home_handler(self) -> type[Any] | None:
        """The handler of its home page, if it has one."""
        for route in self.routes:
            if re.fullmatch(route.path, ""):
                return route.handler
        return None

    def bare_handler(self) -> type[Any] | None:
        """The handler of its path without a slash; None to redirect to the one with it."""
        return self.home_handler() if self.app and self.app.serves_bare_path else None
