"""The options of a web app: what is valid, and what an administrator reads if it is not."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service import AppError
from tornado_service.proxy.options import Options, parse_options

RUN = {"command": ["run", "{port}"]}
WHERE = 'c.TornadoService.web_apps["x"]'


def problem(entry: dict[str, Any]) -> str:
    with pytest.raises(AppError) as raised:
        parse_options(entry, WHERE, {})
    text = str(raised.value)
    assert text.startswith(WHERE)
    assert "\n" not in text
    return text.removeprefix(WHERE)


@pytest.mark.parametrize(
    "entry",
    [
        RUN,
        {"command": ("run", "--uds={unix_socket}", '--json={"a": 1}', "{0}", "${word}")},
        {"command": ["run"], "environment": {"PORT": "{port}"}},
        {"command": ["run"], "url": "http://127.0.0.1:8501"},
        {"url": "http://wiki.tools.svc:8080", "strip_prefix": True},
        {"url": "https://example.org/wiki/"},
        {"url": "http://[::1]:80"},
        {**RUN, "allowed_groups": ["a"], "allowed_users": {"b"}, "required_scopes": ("c",)},
        {**RUN, "start": "always", "start_timeout": 5, "idle_timeout": 3600, "max_body_size": 0},
    ],
    ids=str,
)
def test_valid_entries(entry: dict[str, Any]) -> None:
    options = parse_options(entry, WHERE, {})

    assert options.model_fields_set == entry.keys()
    assert not options.url.endswith("/")


def test_defaults() -> None:
    options = Options(command=("run", "{port}"))

    assert options.start == "on_visit"
    assert (options.start_timeout, options.idle_timeout) == (60, 0)
    assert options.max_body_size is None
    assert options.max_message_size is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, ": set command, which starts the app, or url, where it runs already"),
        ({**RUN, "allowed_group": ["a"]}, "an unknown key allowed_group: did you mean allowed_gro"),
        ({**RUN, "port": 1}, "has an unknown key port: there are command, url, "),
        ({"command": "streamlit run"}, '["command"]: write a list, such as ["streamlit", "run"'),
        ({"command": [""], "url": "http://x"}, '["command"]: its first word is empty'),
        ({"command": ["run", 1]}, '["command"][1]: Input should be a valid string'),
        ({"command": ["run --port={port}"]}, '["command"]: its first string has more than the pro'),
        ({"command": ["run"]}, ": command has neither {port} nor {unix_socket}: pass one"),
        ({"command": ["run", "{prot}"]}, "{prot} is not known here: there are {port}, {unix_"),
        ({"command": ["run", "{port}", "\0"]}, '["command"]: it has a NUL character'),
        ({**RUN, "url": "http://127.0.0.1:1"}, "url excludes {port} and {unix_socket}: remove one"),
        ({**RUN, "environment": {"A": "{socket}"}}, '["environment"]: {socket} is not known'),
        ({**RUN, "environment": {"A": 1}}, '["environment"]["A"]: Input should be a valid string'),
        ({**RUN, "environment": {1: "A"}}, '["environment"][1]: Input should be a valid string'),
        ({**RUN, "allowed_users": [1]}, '["allowed_users"][0]: Input should be a valid string'),
        ({**RUN, "environment": {"A=B": ""}}, '["environment"]: it has an invalid name'),
        ({**RUN, "working_directory": "\0"}, '["working_directory"]: it has a NUL character'),
        ({**RUN, "allowed_groups": "analysts"}, '["allowed_groups"]: write a list, such as ["gro'),
        ({**RUN, "start": "never"}, "[\"start\"]: Input should be 'on_visit' or 'always'"),
        ({**RUN, "start_timeout": -1}, '["start_timeout"]: Input should be greater than or equal'),
        ({**RUN, "idle_timeout": "soon"}, '["idle_timeout"]: Input should be a valid number'),
        ({**RUN, "max_body_size": 1.5}, '["max_body_size"]: Input should be a valid integer'),
        ({"url": "wiki:8080"}, '["url"]: write it as http://HOST:PORT'),
        ({"url": "http://wiki:99999"}, '["url"]: write it as http://HOST:PORT'),
        ({"url": "http://name:secret@wiki"}, '["url"]: write it as http://HOST:PORT'),
        ({"url": "http://wiki/?a=b"}, '["url"]: write it as http://HOST:PORT'),
        ({"url": "http://wiki", "idle_timeout": 5}, ": idle_timeout is for apps with a command"),
    ],
)
def test_an_invalid_entry_says_what_to_change(entry: dict[str, Any], said: str) -> None:
    assert said in problem(entry)


def test_no_message_has_a_value_of_the_environment() -> None:
    secret = "hunter2-hunter2"

    for environment in ({"A": {"B": secret}}, {"A": [secret]}, [secret], secret):
        assert secret not in problem({**RUN, "environment": environment})
    assert secret not in problem({"url": f"http://u:{secret}@wiki"})
