"""Find, import and validate the app classes that the settings name."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, NamedTuple

from .._version import DOCS_URL
from ..handlers.static import resource_folder
from .base import ServiceApp
from .isolation.containment import AppError

#: First path segments that the core uses.
RESERVED_NAMES = frozenset(
    {"api", "docs", "health", "home", "logout", "metrics", "oauth_callback", "static", "status"}
)

#: The group of entry points that name apps.
ENTRY_POINT_GROUP = "tornado_service.apps"

#: What web apps are made by; like every app, it is imported only if it is used.
WEB_APPS_MODULE = "tornado_service.proxy.settings"

NAME_PATTERN = re.compile(r"[a-z0-9-]+")


class AppSource(NamedTuple):
    """An app in the settings.

    Attributes:
        spec: how the settings name it.
        load: returns its class, in a thread; raises `AppError` or anything else.
    """

    spec: str
    load: Callable[[], type[ServiceApp]]


def validate_app_class(cls: Any, spec: str) -> type[ServiceApp]:
    """Check that an object is an app class with valid attributes.

    Args:
        cls: the imported object.
        spec: how the settings name it.

    Raises:
        AppError: it is not an app class, or its name or scopes are invalid.
    """
    if not (isinstance(cls, type) and issubclass(cls, ServiceApp)):
        raise AppError(f"{spec} is no subclass of tornado_service.ServiceApp.")
    _check_name(cls.name, f"{cls.__name__}.name")
    for attribute in ("service_scopes", "user_scopes"):
        if not isinstance(getattr(cls, attribute), (set, frozenset)):
            raise AppError(f'{cls.__name__}.{attribute} is no set, such as {{"list:users"}}.')
    return cls


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise AppError(f"{where} is {name!r}: it takes a-z, 0-9 and - only.")
    if name in RESERVED_NAMES:
        raise AppError(f"{where} is {name!r}, a path of the service itself.")


def package_of(cls: type[ServiceApp]) -> str:
    """The package with an app's templates and static files; for a top-level module, the module.

    A subclass of another package's app uses that package's files, unless its own has some.
    """
    apps = [base for base in cls.__mro__ if issubclass(base, ServiceApp) and base is not ServiceApp]
    packages = [_package(base.__module__) for base in apps]
    return next(filter(_has_resources, packages), packages[0])


def _package(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.submodule_search_locations is not None:
        return module
    return spec.parent or module


def _has_resources(package: str) -> bool:
    folder = resource_folder(package)
    return any(folder.joinpath(name).is_dir() for name in ("templates", "static"))


def import_app(spec: str) -> type[ServiceApp]:
    """Import the class of an app.

    Args:
        spec: ``my_module:MyApp``, or the name of an entry point.

    Raises:
        AppError: it does not exist, or is not an app. An import may raise any other exception.
    """
    module, name = resolve_spec(spec)
    if not module:
        raise AppError(
            f"{spec}: no installed package has an app of this name; write a class as"
            " my_module:MyApp."
        )
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # if the app was found, the traceback shows which of its modules lacks an import
        is_found = error.name is None or not f"{module}.".startswith(f"{error.name}.")
        message = f"{spec}: {error}. Is it installed where the service runs?"
        raise AppError(message) from (error if is_found else None)
    if not hasattr(found, name):
        raise AppError(f"{spec}: {module} has no {name}.")
    cls = validate_app_class(getattr(found, name), spec)  # for its name, below
    if cls.__name__ != class_name(spec):
        raise AppError(f"{spec} is another name of {cls.__name__}: use that, its settings do.")
    return cls


def import_web_app(name: str, entry: Any) -> type[ServiceApp]:
    """Make the class of one entry of the setting ``web_apps``.

    Args:
        name: its key.
        entry: its options.

    Raises:
        AppError: its name or an option is invalid, or this is the single file, which has no web
            apps.
    """
    try:
        settings = importlib.import_module(WEB_APPS_MODULE)
    except ModuleNotFoundError as error:
        if not WEB_APPS_MODULE.startswith(f"{error.name}."):
            raise
        raise AppError(
            "The single file does without web apps: use an image, as described at"
            f" {DOCS_URL}how-to/kubernetes-image.html"
        ) from None
    _check_name(name, "A key of c.TornadoService.web_apps")
    cls: type[ServiceApp] = settings.make_web_app_class(name, entry)
    return cls


def class_name(spec: str) -> str:
    """The name of an app's class, without an import; empty if unknown."""
    return resolve_spec(spec)[1]


def custom_scopes(scopes: Iterable[str]) -> list[str]:
    """Those scopes that apps have defined themselves, without filters."""
    names = {scope.partition("!")[0] for scope in scopes}
    return sorted(name for name in names if name.startswith("custom:"))


@cache
def resolve_spec(spec: str) -> tuple[str, str]:
    """The module and class of an app; both empty if it is a missing entry point."""
    if ":" not in spec:
        for point in entry_points(group=ENTRY_POINT_GROUP, name=spec):
            return point.module, point.attr
    module, _, name = spec.replace(":", ".").rpartition(".")
    return (module, name) if module else ("", "")
