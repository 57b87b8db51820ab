"""The setting ``TornadoService.web_apps``: a class for each entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import AppError
from .options import parse_options
from .web_app import ATTRIBUTES, WebApp


def make_web_app_class(name: str, entry: Any) -> type[WebApp]:
    """The class of one entry of the setting.

    Args:
        name: its key: the app's part of the path.
        entry: its options.

    Raises:
        AppError: an option is unknown or invalid.
    """
    where = describe_entry(name)
    if not isinstance(entry, Mapping):
        raise AppError(f'{where} takes a dictionary, such as {{"command": […]}}.')
    options = parse_options(entry, where, {})
    given = options.model_fields_set
    attributes = {ATTRIBUTES.get(key, key): getattr(options, key) for key in given}
    custom = {scope for scope in options.required_scopes if scope.startswith("custom:")}
    return type(
        "WebApp",
        (WebApp,),
        {
            **attributes,
            "__module__": WebApp.__module__,
            "__doc__": options.description or WebApp.__doc__,
            "name": name,
            "options_source": where,
            "user_scopes": frozenset(custom),
        },
    )


def describe_entry(name: str) -> str:
    """How administrators find an entry of the setting."""
    return f'c.TornadoService.web_apps["{name}"]'
