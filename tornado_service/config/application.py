"""StrictApplication: a command that refuses what it does not know."""

from __future__ import annotations

import sys
from typing import Any

from traitlets import TraitError, default
from traitlets.config import Application, Config

from ..telemetry.log import ServiceLogFormatter, capture_process_output, redact
from ..telemetry.redaction import REDACTED, redact_text, single_line
from .checks import ConfigError, check, reject_unknown_flags
from .secret_settings import redacted_argument, secret_arguments, secret_values, without_trait_value


class StrictApplication(Application):
    """A command that refuses options, settings and arguments that it does not know.

    traitlets only warns of them, and runs the command without.
    """

    raise_config_file_errors = True

    #: Whether words may follow the options.
    takes_arguments = False

    _secrets: tuple[str, ...] = ()

    # the hub's own formatter, too, is none of traitlets'
    _log_formatter_cls = ServiceLogFormatter  # type: ignore[assignment]

    @default("log_format")
    def _default_log_format(self) -> str:
        return "[%(name)s] %(levelname)s: %(message)s"

    @classmethod
    def launch_instance(cls, argv: list[str] | None = None, **kwargs: Any) -> None:
        capture_process_output(cls.instance(**kwargs).log)
        super().launch_instance(argv, **kwargs)

    def add_secrets(self, *secrets: str) -> None:
        """Strike values out of the log and of every error that is shown."""
        all_secrets = {secret for secret in (*self._secrets, *secrets) if secret}
        self._secrets = tuple(sorted(all_secrets, key=len, reverse=True))
        self._configure_logging()

    def without_secrets(self, text: str) -> str:
        """A text of others, such as that of an error, fit to be shown."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return redact_text(without_trait_value(text))

    def _configure_logging(self) -> None:
        super()._configure_logging()
        # a short one may be a word
        redact(self.log, *(secret for secret in self._secrets if len(secret) >= 8))

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the settings; for wrong ones, exit with status 2 and a line that says why."""
        try:
            self.read_settings(argv)
        except ConfigError as error:
            self.fail(2, str(error))

    def read_settings(self, argv: list[str] | None = None) -> None:
        """Read the settings.

        Raises:
            ConfigError: something is set that cannot be; the message says what to change.
        """
        self.parse_command_line(argv)

    def fail(self, status: int, message: str) -> None:
        """End the process with one line that says what to change."""
        print(single_line(f"{self.name}: {redact_text(message)}"), file=sys.stderr)
        self.exit(status)

    def parse_command_line(self, argv: Any = None) -> None:
        """Parse the command line.

        Raises:
            ConfigError: it has an option, a setting or an argument that does not exist.
        """
        argv = sys.argv[1:] if argv is None else argv
        self.add_secrets(*secret_arguments(argv))
        reject_unknown_flags(self, self.settings_classes(), argv)
        super().parse_command_line(argv)
        if self.subapp is None and self.extra_args and not self.takes_arguments:
            extra = redacted_argument(argv, self.extra_args[0])
            raise ConfigError(f"There is no option {extra}; --help lists them")

    def update_config(self, new: Config) -> None:
        """Take settings from a file or the command line.

        Raises:
            ConfigError: one does not exist, or cannot have this value.
        """
        self.add_secrets(*secret_values(new))
        check(self.settings_classes(), new, self.is_deferred_section)
        try:
            super().update_config(new)
        except TraitError as error:
            raise ConfigError(self.without_secrets(str(error))) from error

    def settings_classes(self) -> list[type[Any]]:
        return list(self._classes_inc_parents())

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Whether a section may be right though it is none of ours."""
        return False
