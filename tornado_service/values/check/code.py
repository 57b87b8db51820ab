"""Mistakes in Python code that the chart runs in the hub."""

import sys
from collections.abc import Iterator
from typing import Any

from .. import names, paths
from ..hub_code import ConfigCode, ListName, is_template
from ..site import Site, ValuesFinding
from .access import NO_SERVERS
from .names import refused_role

#: What other tools replace before Helm, or Python, sees the text.
TEMPLATES = ("{{", "{%", "<%", "${")

#: Files in here are run as the hub's configuration, too, before the code of hub.extraConfig.
CONFIG_DIRECTORY = "/usr/local/etc/jupyterhub/jupyterhub_config.d/"

HELM_KEYS: dict[ListName, str] = {"services": "hub.services", "load_roles": "hub.loadRoles"}


def check(site: Site) -> Iterator[ValuesFinding]:
    code = ConfigCode()
    for path, text in config_code(site):
        try:
            tree = code.parse(text)
        except SyntaxError as error:
            if not any(mark in text for mark in TEMPLATES):
                yield _unreadable(site, path, error)
            continue
        except (RecursionError, MemoryError):  # too deep for a syntax tree, not for the hub
            continue
        if is_template(tree):
            continue
        for name in code.replaced_lists(tree):
            if _has_entries(site, name):
                yield site.finding(
                    path,
                    f"c.JupyterHub.{name} is replaced, and what the chart has put there is gone:"
                    " the idle culler and the services of hub.services lose theirs.",
                    f"{HELM_KEYS[name]}, or .append() to the list.",
                )
        for role, scopes in code.roles(tree):
            if not names.ROLE.allows(role):
                yield site.finding(path, *refused_role(role))
            if role == "user" and scopes and code.lacks_self(scopes):
                yield _no_self(site, path)
        if any(code.lacks_self(scopes) for scopes in code.scopes_of_user(tree)):
            yield _no_self(site, path)


def config_code(site: Site) -> list[tuple[tuple[str, ...], str]]:
    """The code, with the keys where it stands, in the order in which the chart runs it."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, details in sorted(site.values.submaps(*paths.EXTRA_FILES).items()):
        file = str(details.get("mountPath"))
        if file.startswith(CONFIG_DIRECTORY) and file.endswith(".py"):
            found.append(((*paths.EXTRA_FILES, key, "stringData"), details.get("stringData")))
    pieces = site.values.map(*paths.EXTRA_CONFIG)
    found += (((*paths.EXTRA_CONFIG, key), pieces[key]) for key in sorted(pieces, key=str))
    return [(path, text) for path, text in found if isinstance(text, str)]


def _has_entries(site: Site, name: ListName) -> bool:
    section = HELM_KEYS[name].split(".")
    return site.values.is_enabled("cull", "enabled") or bool(site.values.map(*section))


def _unreadable(site: Site, path: tuple[str, ...], error: SyntaxError) -> ValuesFinding:
    where = f" in line {error.lineno}" if error.lineno else ""
    version = ".".join(map(str, sys.version_info[:2]))
    return site.finding(
        path,
        f"Python {version} cannot read it ({error.msg}{where}): the hub exits.",
        "code that it can.",
    )


def _no_self(site: Site, path: tuple[str, ...]) -> ValuesFinding:
    return site.finding(
        path, "it sets the role user without the scope self: " + NO_SERVERS, '"self" too.'
    )
