"""The command of a web app: its options, and the placeholders in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..forward.target import Target

#: ``{port}``, but neither ``${port}`` of a shell nor ``{"port": 1}`` of JSON.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")

#: The names that have a value.
PLACEHOLDERS = ("port", "unix_socket", "prefix", "name")


@dataclass(frozen=True)
class ProcessOptions:
    """How to start and stop the command of one web app.

    Attributes:
        name: the app's name, ``sales``.
        prefix: its path without a slash at the end, ``/services/NAME/sales``.
        command: the program and its arguments, with placeholders.
        environment: additional variables, whose values may have placeholders.
        working_directory: where the command runs; empty for that of the service.
        url_target: where the command listens if it has neither ``{port}`` nor ``{unix_socket}``.
        strip_prefix: whether requests are sent to the app without the prefix.
        always: whether the command runs without a request.
        start_timeout: seconds until the command must respond.
        idle_timeout: seconds without requests and WebSockets after which the command is ended; 0
            for never.
        setting: the setting with these options, for messages.
    """

    name: str
    prefix: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""
    url_target: Target | None = None
    strip_prefix: bool = False
    always: bool = False
    start_timeout: float = 60.0
    idle_timeout: float = 0.0
    setting: str = ""

    def key(self, name: str) -> str:
        """The full name of one of these options, for messages."""
        return full_name(self.setting, name)

    @property
    def uses_port(self) -> bool:
        return "port" in self._used

    @property
    def uses_unix_socket(self) -> bool:
        return "unix_socket" in self._used

    @property
    def _used(self) -> set[str]:
        return set(placeholders_in(*self.command, *self.environment.values()))

    def expand(self, *, port: int, unix_socket: str) -> tuple[list[str], dict[str, str]]:
        """The command and the additional variables, without placeholders."""
        values = {
            "port": str(port),
            "unix_socket": unix_socket,
            "prefix": self.prefix,
            "name": self.name,
        }

        def expanded(text: str) -> str:
            return _PLACEHOLDER.sub(lambda match: values[match[1]], text)

        command = [expanded(argument) for argument in self.command]
        return command, {name: expanded(value) for name, value in self.environment.items()}


def placeholders_in(*texts: str) -> list[str]:
    """The names in braces in some texts, known or not."""
    return [name for text in texts for name in _PLACEHOLDER.findall(text)]


def full_name(setting: str, option: str) -> str:
    """How administrators or authors find an option.

    Args:
        setting: where the options are: ``c.TornadoService.web_apps["sales"]``, or a class.
        option: its name there.
    """
    return f'{setting}["{option}"]' if setting.endswith("]") else f"{setting}.{option}"
