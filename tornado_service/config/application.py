"""StrictApplication: a command that refuses unknown options."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets import TraitError, default
from traitlets.config import Application, Config

from ..telemetry.log import ServiceLogFormatter, capture_process_output, redact
from ..telemetry.redaction import REDACTED, redact_text, single_line
from .checks import ConfigError, check, reject_unknown_flags
from .secret_settings import (
    may_hold_secret,
    redacted_argument,
    secret_arguments,
    secret_values,
    without_trait_value,
)


class StrictApplication(Application):
    """A command that refuses options, settings and arguments that it does not know.

    traitlets only warns of them, and runs the command without them.
    """

    raise_config_file_errors = True

    #: Whether positional arguments are allowed.
    takes_arguments = False

    _secrets: Sequence[str] = ()

    # the hub's own formatter is not a traitlets one either
    _log_formatter_cls = ServiceLogFormatter  # type: ignore[assignment]

    @default("log_format")
    def _default_log_format(self) -> str:
        return "[%(name)s] %(levelname)s: %(message)s"

    @classmethod
    def launch_instance(cls, argv: list[str] | None = None, **kwargs: Any) -> None:
        capture_process_output(cls.instance(**kwargs).log)
        super().launch_instance(argv, **kwargs)

    def add_secrets(self, *secrets: str) -> None:
        """Redact values in the log and in every error that is shown."""
        self._secrets = sorted({*self._secrets, *secrets} - {""}, key=len, reverse=True)
        self._redact_log()

    def without_secrets(self, text: str) -> str:
        """Redact secrets in a text, such as that of an error, before it is shown."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return redact_text(without_trait_value(text))

    def _configure_logging(self) -> None:
        super()._configure_logging()
        self._redact_log()

    def _redact_log(self) -> None:
        # a short one may be an ordinary word
        redact(self.log, *(secret for secret in self._secrets if len(secret) >= 8))

    def initialize(self, argv: list[str] | None = None) -> None:
        """Read the settings; for invalid ones, exit with status 2 and the reason."""
        try:
            self.read_settings(argv)
        except ConfigError as error:
            self.fail(2, str(error))

    def read_settings(self, argv: list[str] | None = None) -> None:
        self.parse_command_line(argv)

    def fail(self, status: int, message: str) -> None:
        """Exit with a line that says what to change."""
        print(single_line(f"{self.name}: {redact_text(message)}"), file=sys.stderr)
        self.exit(status)

    def parse_command_line(self, argv: Any = None) -> None:
        argv = sys.argv[1:] if argv is None else argv
        self.add_secrets(*secret_arguments(argv))
        reject_unknown_flags(self, self.settings_classes(), argv)
        super().parse_command_line(argv)
        if self.subapp is None and self.extra_args and not self.takes_arguments:
            extra = redacted_argument(argv, self.extra_args[0])
            raise ConfigError(f"There is no option {extra}; --help lists them")

    def update_config(self, new: Config) -> None:
        self.add_secrets(*secret_values(new))
        check(self.settings_classes(), new, self.is_deferred_section)
        try:
            super().update_config(new)
        except TraitError as error:
            raise ConfigError(self.without_secrets(str(error))) from error

    def read_config_file(self, path: str) -> None:
        """Load a config file; its errors name the file and the line."""
        file = Path(path)
        if not file.is_file():
            raise ConfigError(f"The config file {path} does not exist.")
        if file.suffix not in (".py", ".json"):
            raise ConfigError(f"The config file {path} is neither .py nor .json.")
        try:
            self.load_config_file(file.name, path=str(file.parent.absolute()))
        except ConfigError as error:
            raise ConfigError(f"The config file {path} is wrong: {error}") from None
        except Exception as error:
            # the file is a program: it may raise anything
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if Path(frame.filename).name == file.name]
            if isinstance(error, SyntaxError):
                lines = [error.lineno]
            line = lines[-1] if lines else None
            where = f" in line {line}" if line else ""
            what = f": {self.without_secrets(str(error))}"
            if line and not isinstance(error, SyntaxError) and may_hold_secret(file, line):
                what = ", whose text is not shown, as that line may hold a secret"
            problem = f"The config file {path} is wrong{where}: {type(error).__name__}{what}"
            raise ConfigError(problem) from error

    def initialize_subcommand(self, subc: str, argv: Any = None) -> None:
        try:
            super().initialize_subcommand(subc, argv)
        except ModuleNotFoundError as error:
            if not str(error.name).startswith("tornado_service."):
                raise
            raise ConfigError(
                f"the single file does without {subc}: run it where the package is installed"
            ) from None

    def settings_classes(self) -> list[type[Any]]:
        return list(self._classes_inc_parents())

    def is_deferred_section(self, section: str, new: Config) -> bool:
        """Whether a section may be valid although it is not ours."""
        return False


@contextmanager
def exit_on_broken_pipe() -> Iterator[None]:
    """Exit without a traceback when the reader of the output, such as ``head``, has closed it."""
    try:
        try:
            yield
        finally:
            if sys.stdout:  # none, if the process was started without
                sys.stdout.flush()
    except BrokenPipeError:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
