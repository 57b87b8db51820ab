"""Refuses unknown settings and options, and suggests the likely one."""

import difflib
from collections.abc import Callable, Iterable

from traitlets.config import Application, Config, Configurable

from ..telemetry.redaction import REDACTED
from .secret_settings import redacted_argument


class ConfigError(Exception):
    """An invalid setting, which ends the process. The message says what to change."""


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
            hint = _suggestion(section, by_name, "c.")
            raise ConfigError(f"There is no class c.{section}.{hint}")


def check_names(cls: type[Configurable], values: Iterable[str]) -> None:
    names, prefix = cls.class_trait_names(config=True), f"c.{cls.__name__}."
    for name in values:
        if name not in names:
            hint = _suggestion(name, names, prefix)
            raise ConfigError(f"There is no setting {prefix}{name}.{hint}")


def _suggestion(name: str, names: Iterable[str], before: str) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {before}{close[0]}?" if close else " --help-all lists them."


def reject_unknown_flags(
    app: Application, classes: Iterable[type[Configurable]], argv: list[str]
) -> None:
    """Check that each ``--flag`` and ``-f`` of the command line exists."""
    if argv and argv[0] in app.subcommands:
        return  # the subcommand checks its own
    by_name = {cls.__name__.lower(): cls.__name__ for cls in classes}
    names = {"help", "help-all", "version", "h", "V"}
    for spellings in [*app.aliases, *app.flags]:
        names.update((spellings,) if isinstance(spellings, str) else spellings)
    for arg in argv[: argv.index("--")] if "--" in argv else argv:
        name = arg.lstrip("-").split("=", 1)[0]
        section, dot, setting = name.partition(".")
        # others with a dot are checked when the setting is applied
        if (
            not arg.startswith("-")
            or not name
            or name in names
            or (arg[1] in names and arg[1] != "-")  # -fFILE
            or (dot and not section[:1].islower())
        ):
            continue
        hint = _suggestion(name, names, "--")
        if dot:  # traitlets finds no class in it, and then fails
            proper = by_name.get(section.lower(), section[0].upper() + section[1:])
            hint = f" Did you mean --{proper}.{setting}?"
        shown = redacted_argument(argv, arg.split("=", 1)[0])
        if shown == REDACTED:
            hint = " Write --Class.setting=VALUE if the value begins with a dash."
        raise ConfigError(f"There is no option {shown}.{hint}")
