"""The application: reads the settings and runs the server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import Config

from ._version import __version__
from .apps.base import ServiceApp
from .apps.isolation.threads import set_default_thread_pool
from .apps.isolation.watchdog import Watchdog
from .apps.loader import AppSource, import_app, import_web_app
from .apps.manager import STOP_TIMEOUT, AppManager
from .apps.settings import add_app_classes, generate, may_be_app_section
from .auth.service_auth import ServiceAuth, derive_cookie_secret
from .config.application import exit_on_broken_pipe
from .config.checks import ConfigError
from .config.command_line import ServiceCommand
from .config.launch import is_launched_by_hub
from .config.secret_settings import secret_values
from .config.token_file import TokenFile
from .handlers.context import ServiceContext
from .handlers.templates import make_jinja_env
from .hub.client import HubClient
from .network import TLSFiles
from .selfcheck import CheckedSetup, SelfCheck
from .selfcheck.findings import CHART_FILE, pod_namespace
from .server.http import Server
from .server.process import (
    bind,
    bind_error_message,
    die_with_parent,
    force_exit_after,
    raise_file_limit,
)
from .settings import Settings
from .streaming.registry import Streams
from .streaming.replica_setup import make_replicas
from .telemetry.log import capture_tornado_logs
from .telemetry.metrics import Metrics
from .web.application import make_web_app


class TornadoService(Settings, ServiceCommand):
    """A web service of a JupyterHub, at /services/<name>/."""

    version = __version__
    description = __doc__
    classes = [ServiceAuth, HubClient, Streams]
    hub: HubClient
    tls: TLSFiles
    server: Server

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read all settings and check them.

        Raises:
            ConfigError: a setting is invalid; the message says what to change.
        """
        self.parse_command_line(argv)
        if self.subapp is not None or self.generate_config:
            return
        if self.config_file:
            self.read_config_file(self.config_file)
        capture_tornado_logs(self.log)
        self.metrics = Metrics()
        auth = self.auth = ServiceAuth(self.metrics, parent=self)
        self.hub, self.tls = auth.hub, auth.tls
        self.check_environment()
        self.check_cookie_secret()
        self.add_own_secrets()
        auth.may_be_framed = self.may_be_framed
        self.streams = Streams(auth, self.metrics, parent=self)
        self.replicas = make_replicas(self.database_url, self.service_name, self.log)
        public_url = urlsplit(os.environ.get("JUPYTERHUB_PUBLIC_URL", ""))
        self.context = ServiceContext(
            name=self.service_name,
            prefix=self.prefix,
            log=self.log,
            auth=auth,
            hub=self.hub,
            metrics=self.metrics,
            streams=self.streams,
            public_https=public_url.scheme == "https",
            public_host=public_url.netloc,
            title=self.title,
            replicas=self.replicas,
        )
        jinja_env = make_jinja_env(self.template_paths)
        self.app_manager = AppManager(
            self.context, self.app_sources(), self, jinja_env, self.home_app, self.shutdown_grace
        )
        self.selfcheck = SelfCheck(self.checked_setup, self.log)
        self.web_app = make_web_app(self, self.context, self.app_manager, self.selfcheck, jinja_env)

    def add_own_secrets(self) -> None:
        """Redact the service's token, cookie secret and database password in the log."""
        secrets = {
            "token": self.auth.api_token,
            "cookie_secret": self.cookie_secret,
            "database_url": self.database_url,
        }
        self.add_secrets(self.auth.api_token, *secret_values(Config(TornadoService=secrets)))

    def use_token(self, token: str) -> None:
        """Use a new API token, which the hub's configuration has from now on.

        A cookie secret that is derived from the token changes with it: users sign in again.
        """
        is_derived = self.cookie_secret == derive_cookie_secret(self.auth.api_token)
        self.auth.use_token(token)
        if is_derived:
            self.cookie_secret = derive_cookie_secret(token)
            self.web_app.settings["cookie_secret"] = self.cookie_secret
        self.add_own_secrets()
        self.log.info("Using the new API token")

    async def follow_token_file(self) -> None:
        """Use the new token whenever the file with the token changes; check the hub with it."""
        if self.token_file:
            file = TokenFile(self.token_file)
            async for token in file.changes(self.auth.api_token, self.log):
                self.use_token(token)
                await self.selfcheck.refresh()

    def app_sources(self) -> list[AppSource]:
        apps = [AppSource(spec, partial(import_app, spec)) for spec in self.apps]
        for name, entry in self.web_apps.items():
            spec = f'web_apps["{name}"]'
            apps.append(AppSource(spec, partial(import_web_app, name, entry)))
        return apps

    def checked_setup(self) -> CheckedSetup:
        auth = self.auth
        return CheckedSetup(
            name=self.service_name,
            prefix=self.prefix,
            service_url=self.service_url.rstrip("/"),
            ip=self.ip,
            port=self.port,
            api_url=auth.api_url.rstrip("/"),
            token=auth.api_token,
            cookie_secret=self.cookie_secret,
            hub_prefix=auth.hub_prefix,
            public_url=os.environ.get("JUPYTERHUB_PUBLIC_URL", ""),
            callback_url=auth.oauth_redirect_uri,
            hub_host=auth.hub_host,
            tls=self.tls,
            required_scopes=self.app_manager.service_scopes,
            in_chart=CHART_FILE.exists(),
            namespace=pod_namespace(),
            is_external=not is_launched_by_hub(),
            client_id=auth.oauth_client_id,
            token_file=self.token_file,
            sign_ins=auth.sign_ins,
        )

    @classmethod
    def classes_to_document(cls) -> list[Any]:
        return [cls, *cls.classes]

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """Parse the command line; ``--help-all`` also shows the settings of the apps."""
        argv = sys.argv[1:] if argv is None else argv
        if "--help-all" in argv and argv[0] not in self.subcommands:
            super().parse_command_line([arg for arg in argv if arg not in ("--help-all", "--help")])
            if self.config_file and not self.generate_config:
                self.read_config_file(self.config_file)
            add_app_classes(self, self.apps)
        super().parse_command_line(argv)

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Whether a section may belong to an app; the file may name the app, and is read last."""
        ours = new.TornadoService
        has_file = ours.get("config_file") and not ours.get("generate_config")
        if has_file and not self.loaded_config_files:
            return True
        return may_be_app_section(section, new, self.apps)

    def start(self) -> None:
        """Serve until SIGTERM, SIGINT or, if a hub has launched the service, the hub's end."""
        if self.subapp is not None:
            self.subapp.start()
        elif self.generate_config:
            generate(self, self.apps, self.config_file)
        else:
            try:
                sockets = bind(self.port, self.ip)
            except OSError as error:
                self.fail(1, bind_error_message(error, self.port, self.ip))
            else:
                asyncio.run(self.main(sockets))

    async def main(self, sockets: list[socket.socket]) -> None:
        """Start the HTTP server first, then everything else; stop in the reverse order."""
        server = self.server = self.make_server(sockets)
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        set_default_thread_pool(loop)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop_gracefully)
        if is_launched_by_hub():
            tasks.append(die_with_parent(server.stop_immediately))
        raise_file_limit()
        server.start()
        self.log.info(
            "Listening on %s port %d for %s", self.ip or "all interfaces", self.port, self.prefix
        )
        watchdog = Watchdog(self.log, self.metrics, self.app_manager)
        watchdog.start()
        work = (self.selfcheck.run, self._load_apps_and_check, self.follow_token_file)
        tasks += [loop.create_task(start()) for start in work]
        try:
            await server.wait_stopped()
            await self.close_server(server)
        finally:
            for task in tasks:
                task.cancel()
            force_exit_after(STOP_TIMEOUT + 1)
            watchdog.stop()
            await self.close()
        self.log.info("Stopped")

    def make_server(self, sockets: list[socket.socket]) -> Server:
        """The HTTP server of this service, on bound sockets.

        Raises:
            ConfigError: the certificates of ``internal_ssl`` cannot be used.
        """
        try:
            tls_context = self.tls.server_context()
        except OSError as error:
            raise ConfigError(
                f"The certificates of internal_ssl cannot be used: {error.strerror or error}."
                " JUPYTERHUB_SSL_KEYFILE, JUPYTERHUB_SSL_CERTFILE and JUPYTERHUB_SSL_CLIENT_CA have"
                " to name files that belong together and that this user may read."
            ) from error
        return Server(self.web_app, sockets, tls_context, self.context, self.max_body_size)

    async def close_server(self, server: Server) -> None:
        """End streams, let open requests finish within the grace period, close all connections."""
        self.streams.close()
        self.log.info("Stopping; %d requests are open", self.context.open_requests)
        await server.close(self.shutdown_grace - self.app_manager.stop_timeout)
        self.streams.abort()  # the HTTP server no longer tracks connections of WebSockets

    async def close(self) -> None:
        """Stop the apps, and cancel calls of the hub. Close the server first."""
        await self.app_manager.stop()
        self.auth.identities.close()
        self.hub.close()

    async def load_apps(self) -> None:
        await self.app_manager.load()

    async def _load_apps_and_check(self) -> None:
        await self.load_apps()
        gc.freeze()  # what the apps have imported, as at the start of the process
        if self.selfcheck.required_scopes:
            # the scopes that the apps need are known only now
            await self.selfcheck.run_until_healthy()

    def get_app(self, name: str) -> ServiceApp:
        """The app with a name, for its tests: they may call its methods, also periodic ones.

        Raises:
            LookupError: no app with this name runs.
        """
        return self.app_manager.get(name)

    @property
    def mounts(self) -> AppManager:
        """The former name of ``app_manager``, which tests of apps may still use."""
        return self.app_manager

    @property
    def prefix(self) -> str:
        """``/services/NAME/``, preceded by the hub's base URL."""
        return self.auth.base_url


@exit_on_broken_pipe()
def main(argv: list[str] | None = None) -> None:
    """The command ``tornado-service``."""
    TornadoService.launch_instance(argv)
