"""The reference of commands, from their options in the code."""

from __future__ import annotations

import inspect
from typing import Any

from generate_markdown import cell, markdown, table
from traitlets import Undefined
from traitlets.config import Application
from traitlets.utils.importstring import import_item

from tornado_service.app import TornadoService

HEAD = """\
# Command line

For hub admins: the commands of the package, with their options. This page is generated from the code by `make docs`.

`tornado-service` and `python3 -m tornado_service` are the same command. Every command has `--help`, and `--help-all` for options of
all classes.
"""


def cli_page() -> str:
    parts = [HEAD, *sections(TornadoService, "tornado-service")]
    return "\n".join(parts)


def sections(cls: type[Application], command: str) -> list[str]:
    """The sections of a command and of its subcommands."""
    app = cls()
    lines = [f"## {command}", "", markdown(inspect.cleandoc(str(app.description))), ""]
    if app.subcommands:
        rows = [
            [f"[`{command} {name}`](#{slug(f'{command} {name}')})", cell(str(about))]
            for name, (_, about) in app.subcommands.items()
        ]
        lines += [table(["command", ""], rows), ""]
    lines += [table(["option", "default", ""], [*flags(app), *aliases(app)]), ""]
    if app.examples:
        lines += ["```text", inspect.cleandoc(str(app.examples)), "```", ""]
    for name, (target, _) in app.subcommands.items():
        subcommand = import_item(target) if isinstance(target, str) else target
        lines += sections(subcommand, f"{command} {name}")
    return lines


def slug(heading: str) -> str:
    return heading.replace(" ", "-")


def flags(app: Application) -> list[list[str]]:
    """Options without a value."""
    return [
        [f"`--{name}`", "", cell(inspect.cleandoc(about))]
        for name, (_, about) in app.flags.items()
        if isinstance(name, str)
    ]


def aliases(app: Application) -> list[list[str]]:
    """Options with a value: each is a setting."""
    rows = []
    for names, target in app.aliases.items():
        if isinstance(target, tuple):
            target = target[0]
        trait = trait_of(app, target)
        names = names if isinstance(names, tuple) else (names,)
        dashed = (f"`{'-' if len(name) == 1 else '--'}{name}=`" for name in names)
        rows.append([", ".join(dashed), default_of(app, trait), cell(str(trait.help))])
    return rows


def trait_of(app: Application, target: str) -> Any:
    class_name, _, name = target.partition(".")
    for candidate in (*type(app).__mro__, *app.classes):
        if candidate.__name__ == class_name:
            return candidate.class_traits()[name]
    raise LookupError(target)


def default_of(app: Application, trait: Any) -> str:
    """The default, unless the text has it or it is computed."""
    if "Default:" in trait.help:
        return ""
    default = trait.default(app)
    return "" if default in (Undefined, None, "", [], 0) else f"`{default}`"
