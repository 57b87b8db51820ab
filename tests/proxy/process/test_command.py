"""Placeholders and options of a command."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.process.command import ProcessOptions

PREFIX = "/hub/services/tornado-service/sales"


def options(*command: str, **names: Any) -> ProcessOptions:
    return ProcessOptions(name="sales", prefix=PREFIX, command=command, **names)


def test_placeholders_are_replaced_in_command_and_environment() -> None:
    made = options(
        "app", "--port={port}", "{unix_socket}", "{prefix}/{name}", environment={"A": "x{port}"}
    )

    command, environment = made.expand(port=4000, unix_socket="/tmp/d/socket")

    assert command == ["app", "--port=4000", "/tmp/d/socket", f"{PREFIX}/sales"]
    assert environment == {"A": "x4000"}


@pytest.mark.parametrize(
    "text", ["{}", "{0}", '{"a": 1}', "{ port }", "${HOME}", "${port}", "a{", "}", "%{}"]
)
def test_other_braces_stay(text: str) -> None:
    command, _ = options("app", "{port}", text).expand(port=1, unix_socket="")

    assert command == ["app", "1", text]


def test_a_placeholder_in_a_value_is_not_replaced_again() -> None:
    made = ProcessOptions(name="{port}", prefix="{name}", command=("app", "{prefix}", "{port}"))

    assert made.expand(port=1, unix_socket="")[0] == ["app", "{name}", "1"]


def test_an_option_is_named_by_its_setting_or_its_class() -> None:
    assert options("app", setting='c.X.web_apps["y"]').key("url") == 'c.X.web_apps["y"]["url"]'
    assert options("app", setting="Sales").key("url") == "Sales.url"


def test_a_command_may_listen_where_a_url_says() -> None:
    made = options("app", url_target=Target(port=8501))

    assert (made.uses_port, made.uses_unix_socket) == (False, False)


def test_a_port_in_the_environment_is_enough() -> None:
    assert options("app", environment={"PORT": "{port}"}).uses_port
