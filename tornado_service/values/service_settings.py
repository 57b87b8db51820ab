"""Settings of a service that values contain: in its command, and in its config file."""

import ast
import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from . import paths
from .hub_code import ConfigCode, assignments, dict_entries, is_member
from .merge import as_map
from .site import Service, Site
from .web_app_addresses import WebAppAddress, parse_address

SECTION = "TornadoService"
WEB_APPS = "web_apps"

#: Options that name the config file.
CONFIG_OPTIONS = ("config", f"{SECTION}.config_file")


def web_app_urls(site: Site, service: Service) -> dict[str, str]:
    """The web apps of a service, as far as values show them: the ``url`` by name, or no text.

    As in the service, the command replaces what the config file sets.
    """
    options = [*_options(service)]
    on_command_line = [text for name, text in options if name == f"{SECTION}.{WEB_APPS}"]
    if on_command_line:
        return _urls(_literal(on_command_line[-1]))
    found: dict[str, str] = {}
    for name, path in options:
        if name in CONFIG_OPTIONS:
            found = _in_file(site, path)
    return found


def web_app_addresses(site: Site, service: Service) -> Iterator[tuple[str, WebAppAddress]]:
    """The web apps at a URL outside of the hub's pod: their names, and the addresses that count.

    Host aliases of the pod replace a name.
    """
    for name, url in web_app_urls(site, service).items():
        try:
            given = parse_address(url)
        except ValueError:  # a command, or what the service itself reports
            continue
        for host in site.aliases(given.host) or [given.host]:
            address = replace(given, host=host)
            if not address.is_in_pod and host != site.hub:
                yield name, address


def config_files(service: Service) -> list[str]:
    """The paths of config files in a service's command."""
    return [path for name, path in _options(service) if name in CONFIG_OPTIONS]


def sets_web_apps(code: str) -> bool:
    """Whether Python code contains ``c.TornadoService.web_apps``."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(map(_is_setting, ast.walk(tree)))


def _options(service: Service) -> Iterator[tuple[str, str]]:
    """The names and values of options, as ``--name=value`` or ``--name value``."""
    words = [str(word) for word in service.command]
    for number, word in enumerate(words):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            yield name, value if equals else "".join(words[number + 1 : number + 2])


def _in_file(site: Site, path: str) -> dict[str, str]:
    for details in site.values.submaps(*paths.EXTRA_FILES).values():
        if details.get("mountPath") != path:
            continue
        if isinstance(details.get("data"), dict):
            return _urls(as_map(details["data"].get(SECTION)).get(WEB_APPS))
        text = details.get("stringData") or _decoded(details.get("binaryData"))
        if isinstance(text, str):
            return _in_code(text) if path.endswith(".py") else _in_json(text)
    return {}


def _decoded(binary: Any) -> str:
    try:
        return base64.b64decode(binary).decode() if isinstance(binary, str) else ""
    except (binascii.Error, ValueError):
        return ""


def _in_json(text: str) -> dict[str, str]:
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return _urls(as_map(as_map(settings).get(SECTION)).get(WEB_APPS))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _urls(entries: Any) -> dict[str, str]:
    return {str(name): _text(as_map(entry).get("url")) for name, entry in as_map(entries).items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _in_code(text: str) -> dict[str, str]:
    """The web apps of a config file in Python; what it computes is unknown."""
    code = ConfigCode()
    found: dict[str, ast.AST] = {}
    try:
        for node in ast.walk(code.parse(text)):
            found = _after(node, found, code)
        return {name: _url(entry, code) for name, entry in found.items()}
    except (SyntaxError, RecursionError, MemoryError):
        return {}


def _after(node: ast.AST, found: dict[str, ast.AST], code: ConfigCode) -> dict[str, ast.AST]:
    """The entries after a statement."""
    for target, value in assignments(node):
        match target:
            case target if _is_setting(target):
                return _entries(value, code)
            case ast.Subscript(value=owner, slice=ast.Constant(value=name)) if _is_setting(owner):
                return {**found, str(name): value}
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="update"), args=[entries]):
            return {**found, **_entries(entries, code)} if _is_setting(owner) else found
    return found


def _is_setting(node: ast.AST) -> bool:
    """Whether a node is ``c.TornadoService.web_apps``."""
    match node:
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            return is_member(node, WEB_APPS) and (
                is_member(owner, SECTION) or (isinstance(owner, ast.Name) and owner.id == SECTION)
            )
    return False


def _entries(node: ast.AST, code: ConfigCode) -> dict[str, ast.AST]:
    return {
        name: value for inner in code.resolve(node) for name, value in dict_entries(inner).items()
    }


def _url(entry: ast.AST, code: ConfigCode) -> str:
    """The text of an entry's ``url``; empty if it has none, or none that is known."""
    values = [*code.resolve(_entries(entry, code).get("url", ast.Constant(value="")))]
    match values:
        case [ast.Constant(value=str(url))]:
            return url
    return ""
