"""The apps of a demonstration, and the scopes that its hub grants for them."""

import asyncio
import os
import sys
import traceback
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from jupyterhub.scopes import define_custom_scopes, scope_definitions

from ..apps.base import ServiceApp
from ..apps.isolation.containment import AppError, run_in_daemon_thread, with_timeout
from ..apps.loader import custom_scopes, import_app

#: Seconds that an import may take; then the hub starts without the app's scopes.
IMPORT_TIMEOUT = 20.0

#: Users who are granted custom scopes of apps.
TRUSTED_USERS = ("ada", "ines")


class DemoApps:
    """Apps named on the command line, imported to determine the scopes that they need.

    Attributes:
        specs: the names on the command line.
        classes: the imported ones.
        problems: import errors and invalid scopes; a line for each.
        service_scopes: the scopes of the service's own token.
        user_scopes: scopes that a user's token may carry.
    """

    def __init__(self, specs: list[str]) -> None:
        self.specs = specs
        self.classes: list[type[ServiceApp]] = []
        self.problems: list[str] = []
        sys.path.insert(0, os.getcwd())
        for spec in specs:
            try:
                self.classes.append(asyncio.run(_import_with_timeout(spec)))
            except Exception as error:
                # any error: the hub runs, and the service retries when the file changes
                self.problems.append(f"--app={spec}: {_one_line_error(error, spec)}")
        self.service_scopes = self._scopes("service_scopes")
        self.user_scopes = self._scopes("user_scopes")

    def app_urls(
        self, prefix: str, failed: Collection[str] = (), web_apps: Iterable[str] = ()
    ) -> list[str]:
        """The URLs of the running apps, or of the service's home page if none runs."""
        names = [*(cls.name for cls in self.classes), *web_apps]
        return [f"{prefix}{name}/" for name in names if name not in failed] or [prefix]

    @property
    def welcome_text(self) -> str:
        custom = ", ".join(custom_scopes([*self.service_scopes, *self.user_scopes]))
        granted = f"{custom}: granted to {' and '.join(TRUSTED_USERS)}.\n" if custom else ""
        return f"{granted}Save a file of an app, and the service starts again with it.\n"

    def hub_options(self) -> dict[str, Any]:
        """The arguments of a `ThrowAwayHub` whose service runs the apps and reloads."""
        path = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "service_command": [
                *(sys.executable, "-m", "tornado_service.demo.autoreload"),
                *(f"--TornadoService.apps={spec}" for spec in self.specs),
                *(f"--DemoService.service_scopes={scope}" for scope in self.service_scopes),
                *(f"--DemoService.user_scopes={scope}" for scope in self.user_scopes),
            ],
            "service_environment": {"PYTHONPATH": os.pathsep.join(path)},
            **scope_options(self.service_scopes, self.user_scopes),
        }

    def _scopes(self, attribute: str) -> list[str]:
        """The scopes that the apps declare, without those that the hub would refuse."""
        valid: set[str] = set()
        for cls in self.classes:
            for scope in getattr(cls, attribute):
                if problem := _scope_problem(scope):
                    self.problems.append(f"{cls.__name__}.{attribute}: {problem}")
                else:
                    valid.add(scope)
        return sorted(valid)


def scope_options(service_scopes: Iterable[str], user_scopes: Iterable[str]) -> dict[str, Any]:
    """The arguments of a `ThrowAwayHub` that grant scopes, and define the custom ones."""
    options = {
        "service_scopes": sorted(service_scopes),
        "service_options": {"oauth_client_allowed_scopes": sorted(user_scopes)},
    }
    custom = custom_scopes([*service_scopes, *user_scopes])
    if not custom:
        return options
    defined = {scope: {"description": f"{scope}, of an app"} for scope in custom}
    role = {"name": "trusted", "scopes": custom, "users": list(TRUSTED_USERS)}
    config = f"c.JupyterHub.custom_scopes = {defined}\nc.JupyterHub.load_roles.append({role})"
    return {**options, "extra_config": config}


async def _import_with_timeout(spec: str) -> type[ServiceApp]:
    return await with_timeout(
        IMPORT_TIMEOUT, run_in_daemon_thread(partial(import_app, spec)), "its import"
    )


def _one_line_error(error: Exception, spec: str) -> str:
    """An import error with the author's line that raised it."""
    if isinstance(error, AppError):
        return str(error).removeprefix(f"{spec}: ")
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or '').name}:{error.lineno}: {error.msg}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}: {type(error).__name__}: {error}"


def _scope_problem(scope: Any) -> str:
    if not isinstance(scope, str):
        return f"{scope!r} is no text."
    name = scope.partition("!")[0]
    if name.startswith("custom:"):
        try:
            define_custom_scopes({name: {"description": name}})
        except ValueError as error:
            return str(error).partition("\n")[0]
    elif name not in scope_definitions:
        return f"{scope}: JupyterHub has no such scope; your own begin with custom:"
    return ""
