"""Routes of an app, with their handlers prepared."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import ChoiceLoader, PackageLoader
from tornado.routing import PathMatches

from ..handlers.base import BaseHandler
from ..handlers.static import StaticHandler, static_files, static_urls
from ..handlers.templates import AppTemplates
from .base import ServiceApp
from .isolation.containment import AppError
from .isolation.threads import ThreadPool
from .loader import package_of
from .typed.dispatch import TypedHandler, check_path_groups, make_typed_handler
from .typed.signature import DeclarationError

if TYPE_CHECKING:
    from jinja2 import Environment


def make_templates(app: ServiceApp, package: str, env: Environment) -> AppTemplates:
    """The templates and template variables of an app, in addition to those of the core.

    Args:
        app: the app.
        package: the package with its templates and static files.
        env: the core's templates.
    """
    core: Any = env.loader
    with contextlib.suppress(ValueError):  # the app has no templates
        env = env.overlay(loader=ChoiceLoader([PackageLoader(package), core]))
    names = {
        "page": app.name,
        "app_title": app.title or app.name,
        "app_prefix": app.prefix,
        "app_static_url": static_urls(package, app.prefix + "static/"),
    }
    return AppTemplates(env, names)


class Route(NamedTuple):
    """A handler of an app, and its paths."""

    path: str
    matcher: PathMatches
    handler: type[BaseHandler]
    arguments: dict[str, Any]


def make_routes(app: ServiceApp, templates: AppTemplates) -> list[Route]:
    """The routes of an app, with prepared handlers.

    Raises:
        AppError: a handler is invalid.
    """
    package = package_of(type(app))
    routes = []
    if app.serves_static and static_files(package):
        matcher = PathMatches(f"{re.escape(app.prefix)}static/(.*)")
        routes.append(Route("static/(.*)", matcher, StaticHandler, {"package": package}))
    thread_pool = ThreadPool(app.name)
    handlers: dict[Any, type[TypedHandler]] = {}
    for entry in app.handlers():
        path, handler, arguments = _parse_route(app, entry)
        try:
            if handler not in handlers:
                handlers[handler] = _make_handler(app, handler, templates, thread_pool)
            check_path_groups(handlers[handler], path)
        except DeclarationError as error:
            raise AppError(f"{type(app).__name__}: {error}") from error
        # a group, else "a|b" would match paths outside of the app
        matcher = PathMatches(f"{re.escape(app.prefix)}(?:{path})")
        routes.append(Route(path, matcher, handlers[handler], arguments))
    return routes


def _parse_route(app: ServiceApp, entry: Any) -> tuple[str, type[BaseHandler], dict[str, Any]]:
    where = f"{type(app).__name__}.handlers()"
    if not isinstance(entry, tuple) or len(entry) not in (2, 3) or not isinstance(entry[0], str):
        raise AppError(f"{where} has {entry!r}, where (path, handler) is expected.")
    path, handler = entry[:2]
    if path.startswith(("/", "^")):
        raise AppError(f"{where} has the path {path!r}: write it without / or ^ at its start.")
    try:
        re.compile(path)
    except re.error as error:
        raise AppError(f"{where} has the path {path!r}, no regular expression: {error}") from error
    if not (isinstance(handler, type) and issubclass(handler, BaseHandler)):
        raise AppError(
            f"{where} has {handler!r} at {path!r}, which is neither a PageHandler nor an"
            " APIHandler of tornado_service, so that users would not have to sign in."
        )
    return path, handler, dict(entry[2]) if len(entry) == 3 else {}


def _make_handler(
    app: ServiceApp, handler: type[BaseHandler], templates: AppTemplates, thread_pool: ThreadPool
) -> type[TypedHandler]:
    """The app's version of a handler: knows its app, and has its own name in the metrics."""
    return make_typed_handler(
        handler,
        thread_pool,
        app=app,
        app_templates=templates,
        metrics_name=f"{app.name}.{handler.metrics_name}",
        operation_ids=handler.operation_ids,
    )
