"""A real hub with the real proxy, in which the service runs as in production."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ..apps.isolation.containment import AppError
from ..apps.loader import import_app
from ..demo.apps import scope_options
from ..demo.hub import ThrowAwayHub, config_text
from .service import ServiceConfig

#: Seconds until apps are ready, or the hub responds: machines that run tests are sometimes
#: slow.
TIMEOUT = 60.0

#: How the hub launches the service.
SERVICE_COMMAND = [sys.executable, "-m", "tornado_service"]

#: The fixture ``start_hub``.
StartHub = Callable[..., "RealHub"]


class RealHub(ThrowAwayHub):
    """A JupyterHub for tests, with an administrator's functions.

    Users, with any password: ada, an admin; ines, an instructor; sam and kim, two
    students; guest, who has no access to the service.

    Args:
        options: those of `ThrowAwayHub`.
    """

    def __init__(self, **options: Any) -> None:
        command = [*SERVICE_COMMAND, f"--HubClient.hub_timeout={TIMEOUT:g}"]
        super().__init__(**{"service_command": command, **options})

    def start(self, timeout: float = 2 * TIMEOUT) -> None:
        """Start the hub; returns when it and the service respond through the proxy."""
        super().start(timeout)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request to the hub's REST API as an administrator.

        Args:
            method: the HTTP method.
            path: below ``hub/api/``, such as ``users/sam``.
            body: the JSON body.

        Raises:
            urllib.error.HTTPError: the hub refuses.
        """
        request = Request(  # noqa: S310 - our own hub
            f"{self.url}hub/api/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"token {self.admin_token}"},
        )
        with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            text = response.read()
        return json.loads(text) if text else None

    def token_for(self, name: str, scopes: Sequence[str] = ()) -> str:
        """A new API token of a user.

        Args:
            name: the user.
            scopes: those besides access to the service; by default all of the user's.
        """
        access = f"access:services!service={self.service_name}"
        return self.token_with(name, (access, *scopes) if scopes else ())

    def token_with(self, name: str, scopes: Sequence[str]) -> str:
        """A new API token of a user with exactly these scopes."""
        note: dict[str, Any] = {"note": "test"}
        if scopes:
            note["scopes"] = list(scopes)
        token: str = self.ask("POST", f"users/{name}/tokens", note)["token"]
        return token

    def wait_for_apps(self) -> None:
        """Wait until all apps of the service are ready.

        Raises:
            AppError: one is broken, or not ready in time.
        """
        headers = {"Authorization": f"token {self.token_for('ada')}"}
        request = Request(f"{self.service_public_url}api/status", headers=headers)  # noqa: S310
        deadline = time.monotonic() + TIMEOUT
        while True:
            with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                apps = json.loads(response.read())["apps"]
            waiting = [app for app in apps if app["state"] in ("loading", "retrying")]
            if not waiting or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        problem = "\n".join(
            f"{app['app']} does not run: {app['reason']}"
            for app in apps
            if app["state"] == "failed"
        )
        if waiting:
            names = ", ".join(f"{app['app']} {app['reason']}".strip() for app in waiting)
            problem = f"Not ready in {TIMEOUT:g} s: {names}"
        if problem:
            print(self.log)  # pytest shows it with the failure
            raise AppError(problem)


class SharedHub:
    """One hub at a time, shared by tests with the same service settings."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "tornado_service_config.py"
        self._config: ServiceConfig = {}
        self._hub: RealHub | None = None

    def get(self, config: ServiceConfig) -> RealHub:
        """The hub in which the service has these settings."""
        if self._hub is None or config != self._config:
            self.stop()
            self._config = config
            self._hub = self._start(config)
        return self._hub

    def _start(self, config: ServiceConfig) -> RealHub:
        settings = {section: dict(values) for section, values in config.items()}
        settings.setdefault("HubClient", {}).setdefault("hub_timeout", TIMEOUT)
        self._file.write_text(config_text(settings))
        apps = [import_app(spec) for spec in settings.get("TornadoService", {}).get("apps", ())]
        service_scopes = set().union(*(app.service_scopes for app in apps))
        user_scopes = set().union(*(app.user_scopes for app in apps))
        hub = RealHub(
            service_command=[*SERVICE_COMMAND, f"--config={self._file}"],
            service_environment={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            **scope_options(service_scopes, user_scopes),
        )
        hub.start()
        try:
            hub.wait_for_apps()
        except BaseException:
            hub.stop()
            raise
        return hub

    def stop(self) -> None:
        if self._hub is not None:
            self._hub.stop()
            self._hub = None
