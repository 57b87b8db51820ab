"""Config files and command lines: what is wrong in them is said, never passed over."""

from __future__ import annotations

import difflib
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import List, TraitError, default
from traitlets.config import Application, Config
from traitlets.config.loader import DeferredConfig

from ..apps.base import class_name, import_app
from ..telemetry.log import ServiceLogFormatter, adopt_process, keep_out
from ..telemetry.redaction import HIDDEN, scrub, single_line
from .private_files import private
from .secret_settings import (
    is_about_secrets,
    secret_arguments,
    secret_values,
    shown_argument,
    without_value,
)

if TYPE_CHECKING:
    from traitlets.config import Configurable

    from ..app import TornadoService

DEFAULT_FILE = "tornado_service_config.py"

#: Variables of the environment that say nothing secret; ``api/debug`` shows these.
PUBLIC_ENVIRONMENT = frozenset(
    {
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_BASE_URL",
        "JUPYTERHUB_CLIENT_ID",
        "JUPYTERHUB_HOST",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
        "JUPYTERHUB_OAUTH_CALLBACK_URL",
        "JUPYTERHUB_PUBLIC_HUB_URL",
        "JUPYTERHUB_PUBLIC_URL",
        "JUPYTERHUB_SERVICE_NAME",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_SERVICE_URL",
        "LANG",
        "LC_ALL",
        "PATH",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
)


class ConfigError(Exception):
    """A setting that ends the process. The message says what to change."""


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
    def _line_of_a_command(self) -> str:
        return "[%(name)s] %(levelname)s: %(message)s"

    @classmethod
    def launch_instance(cls, argv: list[str] | None = None, **kwargs: Any) -> None:
        """Run the command."""
        adopt_process(cls.instance(**kwargs).log)
        super().launch_instance(argv, **kwargs)

    def keep_secret(self, *secrets: str) -> None:
        """Strike some values out of the log and of every error that is shown."""
        known = {each for each in (*self._secrets, *secrets) if each}
        self._secrets = tuple(sorted(known, key=len, reverse=True))
        self._configure_logging()

    def without_secrets(self, text: str) -> str:
        """A text of others, such as that of an error, fit to be shown."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return scrub(without_value(text))

    def _configure_logging(self) -> None:
        super()._configure_logging()
        # a short one may be a word
        keep_out(self.log, *(each for each in self._secrets if len(each) >= 8))

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
        print(single_line(f"{self.name}: {scrub(message)}"), file=sys.stderr)
        self.exit(status)

    def parse_command_line(self, argv: Any = None) -> None:
        """Parse the command line.

        Raises:
            ConfigError: it has an option, a setting or an argument that does not exist.
        """
        argv = sys.argv[1:] if argv is None else argv
        self.keep_secret(*secret_arguments(argv))
        reject_unknown_flags(self, argv)
        super().parse_command_line(argv)
        if self.subapp is None and self.extra_args and not self.takes_arguments:
            extra = shown_argument(argv, self.extra_args[0])
            raise ConfigError(f"There is no option {extra}; --help lists them")

    def update_config(self, new: Config) -> None:
        """Take settings from a file or the command line.

        Raises:
            ConfigError: one does not exist, or cannot have this value.
        """
        self.keep_secret(*secret_values(new))
        check(self, new)
        try:
            super().update_config(new)
        except TraitError as error:
            raise ConfigError(self.without_secrets(str(error))) from error

    def settings_classes(self) -> list[type[Any]]:
        """The classes that may be set."""
        return list(self._classes_inc_parents())

    def is_checked_later(self, section: str, new: Config) -> bool:
        """Whether a section may be right though it is none of ours."""
        return False


def load(app: StrictApplication, path: str) -> None:
    """Load a config file into the application.

    Args:
        app: the application, whose command line goes before the file.
        path: a ``.py`` or ``.json`` file.

    Raises:
        ConfigError: it is missing, or wrong.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"The config file {path} does not exist.")
    if file.suffix not in (".py", ".json"):
        raise ConfigError(f"The config file {path} is neither .py nor .json.")
    try:
        app.load_config_file(file.name, path=str(file.parent.absolute()))
    except ConfigError as error:
        raise ConfigError(f"The config file {path} is wrong: {error}") from None
    except Exception as error:
        # the file is a program of the admin's: it may raise anything
        line = _line(error, file)
        where = f" in line {line}" if line else ""
        what = f": {app.without_secrets(str(error))}"
        if line and not isinstance(error, SyntaxError) and is_about_secrets(file, line):
            what = ", whose text is not shown, as that line may hold a secret"
        raise ConfigError(
            f"The config file {path} is wrong{where}: {type(error).__name__}{what}"
        ) from error


def _line(error: Exception, file: Path) -> int:
    """Where in the file, if it is known, else 0."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    numbers = [frame.lineno for frame in frames if Path(frame.filename).name == file.name]
    return numbers[-1] or 0 if numbers else 0


def check(app: StrictApplication, config: Config) -> None:
    """See that each setting exists.

    Args:
        app: the application, whose classes have the settings.
        config: what is to be set.

    Raises:
        ConfigError: one does not; the message names the likely one.
    """
    classes = {cls.__name__: cls for cls in app.settings_classes()}
    for section, values in config.items():
        if section in classes:
            check_names(classes[section], values)
        elif not app.is_checked_later(section, config):
            raise ConfigError(f"There is no class c.{section}.{_meant(section, classes, 'c.')}")


def check_names(cls: type[Configurable], values: Iterable[str]) -> None:
    """See that a class has these settings.

    Raises:
        ConfigError: it lacks one; the message names the likely one.
    """
    names = cls.class_trait_names(config=True)
    for name in values:
        if name not in names:
            raise ConfigError(
                f"There is no setting c.{cls.__name__}.{name}."
                f"{_meant(name, names, f'c.{cls.__name__}.')}"
            )


def may_be_an_app(section: str, config: Config, apps: list[str]) -> bool:
    """Whether a section is that of an app's class, which is checked when the app is imported.

    Args:
        section: its name.
        config: the settings, which may name the apps.
        apps: the apps if the settings do not name any.
    """
    found = config.TornadoService.get("apps", apps)
    if isinstance(found, DeferredConfig):
        found = found.get_value(List())
    specs = [found] if isinstance(found, str) else found
    # one that is not installed must not end the process, nor must its settings
    return any(class_name(spec) in (section, "") for spec in specs)


def _meant(name: str, known: Iterable[str], before: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {before}{close[0]}?" if close else " --help-all lists them."


def reject_unknown_flags(app: StrictApplication, argv: list[str]) -> None:
    """See that each ``--flag`` and ``-f`` of the command line exists.

    Raises:
        ConfigError: one does not; the message names the likely one.
    """
    if argv and argv[0] in app.subcommands:
        return  # its own application will look
    classes = {cls.__name__.lower(): cls.__name__ for cls in app.settings_classes()}
    known = {"help", "help-all", "version", "h", "V"}
    for names in [*app.aliases, *app.flags]:
        known.update((names,) if isinstance(names, str) else names)
    for arg in argv[: argv.index("--")] if "--" in argv else argv:
        name = arg.lstrip("-").split("=", 1)[0]
        section, dot, setting = name.partition(".")
        # others with a dot are looked up when the setting is taken
        if (
            not arg.startswith("-")
            or not name
            or name in known
            or (arg[1] in known and arg[1] != "-")  # -fFILE
            or (dot and not section[:1].islower())
        ):
            continue
        meant = _meant(name, known, "--")
        if dot:  # traitlets takes it for no class, and then fails
            proper = classes.get(section.lower(), section[0].upper() + section[1:])
            meant = f" Did you mean --{proper}.{setting}?"
        shown = shown_argument(argv, arg.split("=", 1)[0])
        if shown == HIDDEN:
            meant = " Write --Class.setting=VALUE if the value begins with a dash."
        raise ConfigError(f"There is no option {shown}.{meant}")


def add_app_classes(app: TornadoService) -> None:
    """Import the apps, so that their settings are shown with the others."""
    for spec in app.apps:
        try:
            app.classes = [*app.classes, import_app(spec)]
        except (Exception, SystemExit) as error:
            # whatever it is: the settings of all others are still worth to be shown
            app.log.warning("Without the settings of %s: %s", spec, error)


def generate(app: TornadoService) -> None:
    """Write a config file that holds every setting, commented out.

    Raises:
        ConfigError: the file exists already, or cannot be written.
    """
    path = Path(app.config_file or DEFAULT_FILE)
    add_app_classes(app)
    try:
        with open(path, "x", opener=private) as file:
            file.write(app.generate_config_file())
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already: move it, or name another with --config="
        ) from None
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}") from error
    app.log.info("Wrote %s", path)
