"""The options of one web app, from the settings or from the attributes of a class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .. import AppError
from .process.command import PLACEHOLDERS, full_name, placeholders_in

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=0)]
Names = frozenset[str]


class Options(BaseModel):
    """The options of one web app. `WebApp` documents them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = ()
    url: str = ""
    strip_prefix: bool = False
    title: str = ""
    description: str = ""
    allowed_groups: Names = frozenset()
    allowed_users: Names = frozenset()
    required_scopes: Names = frozenset()
    start: Literal["on_visit", "always"] = "on_visit"
    start_timeout: Seconds = 60
    idle_timeout: Seconds = 0
    environment: dict[str, str] = Field(default_factory=dict)
    working_directory: str = ""
    max_body_size: Bytes | None = None
    max_message_size: Bytes | None = None

    @field_validator("command")
    @classmethod
    def _check_command(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if command and not command[0]:
            raise ValueError("its first word is empty: it names the program")
        if not {"port", "unix_socket"}.isdisjoint(placeholders_in(*command[:1])):
            raise ValueError(
                "its first string has more than the program: write each argument as a string of"
                ' its own, such as ["streamlit", "run", "app.py", "--server.port={port}"]'
            )
        _check_texts(*command)
        return command

    @field_validator("environment")
    @classmethod
    def _check_environment(cls, environment: dict[str, str]) -> dict[str, str]:
        if any(not name or "=" in name for name in environment):
            raise ValueError("it has an invalid name of a variable")
        _check_texts(*environment, *environment.values())
        return environment

    @field_validator("working_directory")
    @classmethod
    def _check_directory(cls, directory: str) -> str:
        _check_texts(directory)
        return directory

    @field_validator("url")
    @classmethod
    def _check_url(cls, text: str) -> str:
        try:
            url = urlsplit(text)
            is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:
            is_url = False
        if text and (not is_url or url.username or url.query or url.fragment):
            raise ValueError("write it as http://HOST:PORT or https://HOST/PATH")
        return text.rstrip("/")

    @model_validator(mode="after")
    def _check_place(self) -> Options:
        if not self.command and not self.url:
            raise ValueError("set command, which starts the app, or url, where it runs already")
        if not self.command:
            for name in ("environment", "idle_timeout", "working_directory"):
                if getattr(self, name):
                    raise ValueError(f"{name} is for apps with a command")
            return self
        names = placeholders_in(*self.command, *self.environment.values())
        has_place = "port" in names or "unix_socket" in names
        if not has_place and not self.url:
            raise ValueError(
                "command has neither {port} nor {unix_socket}: pass one of them to the program, in"
                " command or environment, or set url to the URL where it listens"
            )
        if has_place and self.url:
            raise ValueError("url excludes {port} and {unix_socket}: remove one of them")
        return self


def _check_texts(*texts: str) -> None:
    for name in placeholders_in(*texts):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(f"{{{name}}} is not known here: there are {known}")
    if any("\0" in text for text in texts):
        raise ValueError("it has a NUL character")


def parse_options(given: Mapping[str, Any], where: str, other_names: Mapping[str, str]) -> Options:
    """Check the options of a web app.

    Args:
        given: the options by name.
        where: their place: ``c.TornadoService.web_apps["sales"]``, or the name of a class.
        other_names: names of options that are others there.

    Raises:
        AppError: an option is unknown or invalid; the message has no values, which may be secret.
    """
    try:
        return Options.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    location = [str(part) for part in first["loc"]]
    name = other_names.get(location[0], location[0]) if location else ""
    if first["type"] == "extra_forbidden":
        close = get_close_matches(name, Options.model_fields, n=1)
        known = ", ".join(Options.model_fields)
        hint = f"did you mean {close[0]}?" if close else f"there are {known}"
        raise AppError(f"{where} has an unknown key {name}: {hint}")
    message = first["msg"].removeprefix("Value error, ")
    if name == "command" and first["type"] == "tuple_type":
        message = 'write a list, such as ["streamlit", "run", "app.py", "--server.port={port}"]'
    elif first["type"] in ("frozen_set_type", "tuple_type"):
        message = f'write a list, such as ["{name.partition("_")[2] or "name"}"]'
    place = full_name(where, name) if name else where
    place += "".join(f"[{json.dumps(part)}]" for part in first["loc"][1:] if part != "[key]")
    raise AppError(f"{place}: {message}")
