"""Jinja templates: the environment of the core, and what an app adds for its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)

#: Templates and static files are read as this package's resources: it may lie in a zip.
PACKAGE = "tornado_service"


@dataclass(frozen=True)
class AppTemplates:
    """What an app's pages have besides those of the core.

    Attributes:
        jinja_env: the app's own templates, then all others.
        namespace: variables of its templates.
    """

    jinja_env: Environment
    namespace: dict[str, Any]


@dataclass(frozen=True)
class FormState:
    """What a form has sent that cannot be accepted; empty until then. Templates see it as ``form``.

    Attributes:
        values: what was entered, by the input's name.
        errors: what is wrong, by the input's name; by ``form`` what is wrong with all of it.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def make_jinja_env(template_paths: list[str]) -> Environment:
    """Templates: an admin's own first; ours stay in reach as ``templates/page.html``.

    Args:
        template_paths: an admin's directories.
    """
    ours = PackageLoader(PACKAGE)
    loader = ChoiceLoader(
        [PrefixLoader({"templates": ours}), FileSystemLoader(template_paths), ours]
    )
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a check of the files would cost each page; a restart takes new ones
        trim_blocks=True,
        lstrip_blocks=True,
    )
