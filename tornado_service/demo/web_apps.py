"""Web apps in a demonstration: commands on the command line."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import AppError
from ..apps.loader import NAME_PATTERN, RESERVED_NAMES
from ..proxy.options import parse_options

#: The config file of the service, in its working directory.
CONFIG_FILE = "web_apps.json"

#: How programs get the port or socket where they listen.
LISTEN_OPTIONS = {
    "bokeh": "--unix-socket={unix_socket} --prefix={prefix} --allow-websocket-origin=*",
    "fastapi": "--port={port} --root-path={prefix}",
    "flask": "--port={port}",
    "gunicorn": "--bind=unix:{unix_socket} --env=SCRIPT_NAME={prefix}",
    "panel": "--unix-socket={unix_socket} --prefix={prefix} --allow-websocket-origin=*",
    "shiny": "--port={port}",
    "streamlit": "--server.port={port} --server.address=127.0.0.1 --server.baseUrlPath={prefix}",
    "uvicorn": "--uds={unix_socket} --root-path={prefix}",
    "voila": "--port={port} --base_url={prefix}/ --no-browser",
}

#: Programs that get the path with the prefix although their option for it is --root-path; the
#: others' option, such as that of uvicorn, expects a proxy that removes it.
KEEP_ROOT_PATH = ("chainlit", "hypercorn")


class WebAppError(Exception):
    """A command that cannot be a web app; the message says what to write instead."""


@dataclass(frozen=True)
class DemoWebApp:
    """A web app of the command line: its name, and its entry in the service's settings."""

    name: str
    entry: dict[str, Any]


def parse_web_apps(texts: Iterable[str]) -> list[DemoWebApp]:
    """The web apps of commands.

    Args:
        texts: each a command, or ``NAME=COMMAND``.

    Raises:
        WebAppError: a command does not exist, or tells its app no place to listen at.
    """
    if find_spec("h11") is None:
        raise WebAppError("--web-app needs h11: pip install 'tornado-service[web-apps]'")
    apps: list[DemoWebApp] = []
    for text in texts:
        apps.append(_parse(text, {app.name for app in apps}))
    return apps


def config_text(apps: Iterable[DemoWebApp]) -> str:
    """The config file of a service with web apps."""
    return json.dumps({"TornadoService": {"web_apps": {app.name: app.entry for app in apps}}})


def _parse(text: str, taken: set[str]) -> DemoWebApp:
    option = f"--web-app={text}"
    name, command = _split_name(text)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise WebAppError(f"{option}: {error}") from error
    if not words:
        raise WebAppError(f"{option} has no command; write --web-app='streamlit run app.py …'")
    if not name:
        name = _unused(_name_of(words), taken)
    elif not NAME_PATTERN.fullmatch(name) or name in RESERVED_NAMES:
        raise WebAppError(
            f"{option}: {name!r} cannot be the name of an app: it takes a-z, 0-9 and -, and no path"
            " of the service itself"
        )
    elif name in taken:
        raise WebAppError(f"{option}: another app has the name {name}")
    words[0] = _find_program(words[0], option)
    if not re.search(r"\{(port|unix_socket)\}", command):
        listen = LISTEN_OPTIONS.get(_name_of(words), "--port={port}, as the program calls it")
        raise WebAppError(f"{option}: the app is not told where to listen. Add {listen}")
    removes_prefix = "--root-path" in command and _name_of(words) not in KEEP_ROOT_PATH
    entry = {
        "command": words,
        "working_directory": os.getcwd(),
        "strip_prefix": "{prefix}" not in command or removes_prefix,
    }
    try:
        parse_options(entry, option, {})
    except AppError as error:
        raise WebAppError(str(error)) from error
    return DemoWebApp(name, entry)


def _split_name(text: str) -> tuple[str, str]:
    """The name and the command of ``NAME=COMMAND``; the name is empty if there is none."""
    found = re.match(r"\s*([\w-]+)=(.*)", text, re.DOTALL)
    return (found[1], found[2]) if found else ("", text)


def _find_program(name: str, option: str) -> str:
    """The path of a program: from PATH, or from the environment of this command."""
    own = str(Path(sys.executable).parent)
    found = shutil.which(name) or shutil.which(name, path=own)
    if found is None:
        raise WebAppError(f"{option}: there is no command {name}. Install it, or write its path")
    return os.path.abspath(found)


def _name_of(words: list[str]) -> str:
    """A name for an app: that of its program, or of the module or script that Python runs."""
    program, *arguments = words
    name = Path(program).stem
    if name == "env":
        while arguments and "=" in arguments[0]:
            arguments.pop(0)
        return _name_of(arguments) if arguments else name
    if re.match(r"python[\d.]*$", Path(program).name):
        if arguments[:1] == ["-m"]:
            name = "".join(arguments[1:2])
        elif arguments and not arguments[0].startswith("-"):
            name = Path(arguments[0]).stem
    name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "app"
    return f"{name}-app" if name in RESERVED_NAMES else name


def _unused(name: str, taken: set[str]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name}-{number}", number + 1
    return unused
