"""Mistakes in Python code that the chart runs in the hub."""

import sys
from collections.abc import Iterator
from typing import Any

from .. import names, paths
from ..hub_code import ConfigCode, ListName, is_template
from ..site import Site, ValuesFinding
from .access import NO_SERVERS
from .names import refused_role

#: Placeholders that other tools replace before Helm, or Python, reads the text.
TEMPLATES = ("{{", "{%", "<%", "${")

#: Files in here are also run as the hub's configuration, before the code of hub.extraConfig.
CONFIG_DIRECTORY = "/usr/local/etc/jupyterhub/jupyterhub_config.d/"

HELM_KEYS: dict[ListName, str] = {"services": "hub.services", "load_roles": "hub.loadRoles"}


def check(site: Site) -> Iterator[ValuesFinding]:
    code = ConfigCode()
    for path, text in config_code(site):
        try:
            tree = code.parse(text)
        except SyntaxError as error:
            where = f" in line {error.lineno}" if error.lineno else ""
            version = ".".join(map(str, sys.version_info[:2]))
            what = f"Python {version} cannot read it ({error.msg}{where}): the hub exits."
            if not any(mark in text for mark in TEMPLATES):
                yield site.finding(path, what, "code that it can.")
            continue
        except (RecursionError, MemoryError):  # too deep for a syntax tree, not for the hub
            continue
        if is_template(tree):
            continue
        for name in code.replaced_lists(tree):
            entries = site.values.map(*HELM_KEYS[name].split("."))
            if entries or site.values.is_enabled("cull", "enabled"):
                yield site.finding(
                    path,
                    f"c.JupyterHub.{name} is replaced, and the chart's own entries are lost:"
                    " the idle culler and the services of hub.services lose theirs.",
                    f"{HELM_KEYS[name]}, or .append() to the list.",
                )
        scopes_of_user = [*code.scopes_of_user(tree)]
        for role, scopes in code.roles(tree):
            if not names.ROLE.allows(role):
                yield site.finding(path, *refused_role(role))
            if role == "user" and scopes:
                scopes_of_user.append(scopes)
        if any(map(code.lacks_self, scopes_of_user)):
            what = "it sets the role user without the scope self: " + NO_SERVERS
            yield site.finding(path, what, '"self" too.')


def config_code(site: Site) -> list[tuple[tuple[str, ...], str]]:
    """The code with its keys, in the order in which the chart runs it."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, details in sorted(site.values.submaps(*paths.EXTRA_FILES).items()):
        file = str(details.get("mountPath"))
        if file.startswith(CONFIG_DIRECTORY) and file.endswith(".py"):
            found.append(((*paths.EXTRA_FILES, key, "stringData"), details.get("stringData")))
    pieces = site.values.map(*paths.EXTRA_CONFIG)
    found += (((*paths.EXTRA_CONFIG, key), pieces[key]) for key in sorted(pieces, key=str))
    return [(path, text) for path, text in found if isinstance(text, str)]
