"""The command ``tornado-service``: its options, subcommands, log lines and exit status."""

from __future__ import annotations

import os
from typing import Any

from traitlets import TraitError, default
from traitlets.config import Application
from traitlets.config.loader import ArgumentError

from ..telemetry.log import LOG_FORMAT, capture_process_output
from .application import StrictApplication
from .checks import ConfigError


class ServiceCommand(StrictApplication):
    """The command that runs the service, without the service."""

    name = "tornado-service"
    subcommands = {
        "values": (
            "tornado_service.values.ValuesApp",
            "Write Helm values for zero-to-jupyterhub, or check yours.",
        ),
        "demo": (
            "tornado_service.demo.command.DemoApp",
            "Try it: start a temporary hub with the service.",
        ),
        "doctor": (
            "tornado_service.doctor.command.DoctorApp",
            "Check the service that runs here, and list its problems.",
        ),
        "activity": (
            "tornado_service.activity.cli.ActivityCommand",
            "Export or delete the data of a user in Activity, or write a report of usage.",
        ),
    }
    aliases = {
        **Application.aliases,
        "config": "TornadoService.config_file",
        "ip": "TornadoService.ip",
        "port": "TornadoService.port",
    }
    flags = {
        "debug": ({"Application": {"log_level": 10}}, "Log everything, for developers."),
        "generate-config": (
            {"TornadoService": {"generate_config": True}},
            "Write a config file with every setting in it, commented out, and exit.",
        ),
    }

    @default("log_level")
    def _default_log_level(self) -> int:
        return 20  # INFO

    @default("log_format")
    def _default_log_format(self) -> str:
        name = os.environ.get("JUPYTERHUB_SERVICE_NAME") or self.name
        return LOG_FORMAT.replace("%(name)s", name.replace("%", "%%"))

    @default("log_datefmt")
    def _default_log_datefmt(self) -> str:
        return "%Y-%m-%d %H:%M:%S"

    @classmethod
    def launch_instance(cls, argv: list[str] | None = None, **kwargs: Any) -> None:
        """Run until stopped. Exit status 2 if a setting is invalid."""
        app = cls.instance(**kwargs)
        capture_process_output(app.log)
        try:
            app.initialize(argv)
            app.start()
        except ConfigError as error:
            app.fail(2, str(error))
        except (TraitError, ArgumentError) as error:
            app.fail(2, app.without_secrets(str(error)))

    def fail(self, status: int, message: str) -> None:
        """Log the reason in one line and exit."""
        self.log.critical("%s", message)
        self.exit(status)
