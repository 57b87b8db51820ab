"""Handlers below an app's path, for each of its states."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import HTTPError

from ..apps.loader import NAME_PATTERN, RESERVED_NAMES
from ..auth.decorators import allow_unauthenticated
from ..handlers.base import BaseHandler, PageHandler
from .api import NotFoundAPIHandler
from .home import NotFoundHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..apps.manager import AppManager
    from ..apps.mounted import MountedApp


class AppRouter(Router):
    """Finds the handler of a path ``P/<app>/…``, in any state of the app.

    Args:
        prefix: the service's.
        apps: all apps of the service.
        get_delegate: ``get_handler_delegate`` of the application that has this router.
    """

    def __init__(
        self, prefix: str, apps: AppManager, get_delegate: Callable[..., HTTPMessageDelegate]
    ) -> None:
        self._prefix = prefix
        self._apps = apps
        self._get_delegate = get_delegate

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        if not request.path.startswith(self._prefix):
            return None
        name, slash, rest = request.path.removeprefix(self._prefix).partition("/")
        if name in RESERVED_NAMES or not NAME_PATTERN.fullmatch(name):
            return None
        mounted = self._apps.find(name)
        if mounted is None:
            return None
        return self._get_delegate(request, *self._target(mounted, name, slash + rest, request))

    def _target(
        self, mounted: MountedApp, name: str, path: str, request: HTTPServerRequest
    ) -> tuple[Any, ...]:
        """Handler, its arguments, and those of its method."""
        if not mounted.is_ready:
            return (UnavailableHandler, {"mounted": mounted})
        if not path:
            bare = mounted.bare_handler()
            return (bare, {}) if bare else (AppSlashHandler, {"name": name})
        for route in mounted.routes:
            groups = route.matcher.match(request)
            if groups is not None:
                arguments = (groups.get("path_args"), groups.get("path_kwargs"))
                return (route.handler, route.arguments, *arguments)
        if path.startswith("/api/"):
            return (NotFoundAPIHandler, {})
        return (AppNotFoundHandler, {"mounted": mounted})


class AppNotFoundHandler(NotFoundHandler):
    """Unknown paths of an app."""

    metrics_name = "AppNotFoundHandler"

    def initialize(self, mounted: MountedApp) -> None:  # type: ignore[override]
        super().initialize()
        if mounted.home_handler():
            self.app, self.app_templates = mounted.app, mounted.templates

    async def prepare(self) -> None:
        """Look up the user, for the page; visitors get the same response.

        Raises:
            HTTPError: 404, always.
        """
        if self.wants_error_page():
            with contextlib.suppress(HTTPError):  # the hub does not respond
                self.current_user = await self.hub_auth.authenticate(self)
        await super().prepare()


class AppSlashHandler(BaseHandler):
    """GET P/<app> without its slash."""

    metrics_name = "AppSlashHandler"

    def initialize(self, name: str) -> None:  # type: ignore[override]
        super().initialize()
        self._name = name

    @allow_unauthenticated
    def get(self) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{self.hub_auth.base_url}{self._name}/{query}")


class AppUnavailable(HTTPError):
    """503: an app does not run, or not yet."""

    def __init__(self, message: str, retry_after: int | None) -> None:
        super().__init__(503, message)
        if retry_after:
            self.retry_after = retry_after


class UnavailableHandler(PageHandler):
    """All paths of an app that is loading, being retried or has failed."""

    metrics_name = "UnavailableHandler"

    def initialize(self, mounted: MountedApp) -> None:  # type: ignore[override]
        super().initialize()
        self._mounted = mounted

    async def prepare(self) -> None:
        """Respond with 503, also to visitors, without the reason.

        Raises:
            HTTPError: 503, always.
        """
        if self._mounted.has_failed:
            raise AppUnavailable(
                "This app is unavailable. Admins can see why on the Status page.", None
            )
        if self._mounted.is_retrying:
            raise AppUnavailable(
                "This app cannot start yet. It is restarted automatically; try again soon.", 5
            )
        # it may have become ready after routing
        raise AppUnavailable("This app is still starting. Try again soon.", 3)

    def accepts_html(self) -> bool:
        """Whether HTML is accepted explicitly: API clients of an app get JSON."""
        return BaseHandler.accepts_html(self)

    def public_error(self, status_code: int, **kwargs: Any) -> dict[str, Any]:
        error = kwargs.get("exc_info", (None, None, None))[1]
        response = super().public_error(status_code, **kwargs)
        if isinstance(error, AppUnavailable):
            response["message"] = error.get_message()
        return response
