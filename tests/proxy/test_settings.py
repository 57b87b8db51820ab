"""The setting web_apps: one class for each entry."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service import AppError, WebApp
from tornado_service.proxy.settings import make_web_app_class


def test_an_entry_becomes_a_class_with_its_options() -> None:
    cls = make_web_app_class(
        "sales",
        {
            "command": ["run", "{port}"],
            "title": "Sales",
            "description": "Of this year.",
            "start": "always",
            "allowed_groups": ["analysts"],
        },
    )

    assert issubclass(cls, WebApp)
    assert (cls.name, cls.title, cls.description) == ("sales", "Sales", "Of this year.")
    assert cls.command == ("run", "{port}")
    assert cls.start_mode == "always"
    assert cls.allowed_groups == {"analysts"}
    assert cls.start_timeout == WebApp.start_timeout


def test_sessions_carry_the_custom_scopes_that_an_entry_requires() -> None:
    scopes = ["custom:sales:read", "read:users"]
    cls = make_web_app_class("sales", {"url": "http://sales", "required_scopes": scopes})

    assert cls.required_scopes == set(scopes)
    assert cls.user_scopes == {"custom:sales:read"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (["run"], 'c.TornadoService.web_apps["sales"] takes a dictionary'),
        ({"comand": ["run"]}, "unknown key comand: did you mean command?"),
        ({}, 'c.TornadoService.web_apps["sales"]: set command'),
    ],
)
def test_an_invalid_entry_is_named(entry: Any, said: str) -> None:
    with pytest.raises(AppError) as raised:
        make_web_app_class("sales", entry)

    assert said in str(raised.value)
