"""Settings and options that do not exist are refused, with the likely one named."""

import difflib
from collections.abc import Callable, Iterable

from traitlets.config import Application, Config, Configurable

from ..telemetry.redaction import REDACTED
from .secret_settings import redacted_argument


class ConfigError(Exception):
    """A setting that ends the process. The message says what to change."""


def check(
    classes: Iterable[type[Configurable]],
    config: Config,
    is_deferred_section: Callable[[str, Config], bool],
) -> None:
    by_name = {cls.__name__: cls for cls in classes}
    for section, values in config.items():
        if section in by_name:
            check_names(by_name[section], values)
        elif not is_deferred_section(section, config):
            meant = _suggestion(section, by_name, "c.")
            raise ConfigError(f"There is no class c.{section}.{meant}")


def check_names(cls: type[Configurable], values: Iterable[str]) -> None:
    names, prefix = cls.class_trait_names(config=True), f"c.{cls.__name__}."
    for name in values:
        if name not in names:
            meant = _suggestion(name, names, prefix)
            raise ConfigError(f"There is no setting {prefix}{name}.{meant}")


def _suggestion(name: str, names: Iterable[str], before: str) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {before}{close[0]}?" if close else " --help-all lists them."


def reject_unknown_flags(
    app: Application, classes: Iterable[type[Configurable]], argv: list[str]
) -> None:
    """See that each ``--flag`` and ``-f`` of the command line exists."""
    if argv and argv[0] in app.subcommands:
        return  # its own application will look
    by_name = {cls.__name__.lower(): cls.__name__ for cls in classes}
    names = {"help", "help-all", "version", "h", "V"}
    for spellings in [*app.aliases, *app.flags]:
        names.update((spellings,) if isinstance(spellings, str) else spellings)
    for arg in argv[: argv.index("--")] if "--" in argv else argv:
        name = arg.lstrip("-").split("=", 1)[0]
        section, dot, setting = name.partition(".")
        # others with a dot are looked up when the setting is taken
        if (
            not arg.startswith("-")
            or not name
            or name in names
            or (arg[1] in names and arg[1] != "-")  # -fFILE
            or (dot and not section[:1].islower())
        ):
            continue
        meant = _suggestion(name, names, "--")
        if dot:  # traitlets takes it for no class, and then fails
            proper = by_name.get(section.lower(), section[0].upper() + section[1:])
            meant = f" Did you mean --{proper}.{setting}?"
        shown = redacted_argument(argv, arg.split("=", 1)[0])
        if shown == REDACTED:
            meant = " Write --Class.setting=VALUE if the value begins with a dash."
        raise ConfigError(f"There is no option {shown}.{meant}")
