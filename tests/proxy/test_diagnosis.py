"""What administrators read when a web app does not work."""

from __future__ import annotations

import errno

import pytest

from tornado_service.proxy import diagnosis
from tornado_service.proxy.process.readiness import Response

PREFIX = "/services/tornado-service/sales"
OK, MISSING = Response(200), Response(404)


def key(name: str) -> str:
    return f'web_apps["sales"]["{name}"]'


@pytest.mark.parametrize(
    ("step", "error", "texts"),
    [
        ("command", errno.ENOENT, ["Command not found: streamlit", '["command"]']),
        ("command", errno.EACCES, ["streamlit is not executable", '["command"]']),
        ("command", errno.ENOEXEC, ["streamlit is not executable", '["command"]']),
        ("command", errno.ENOMEM, ["Cannot start streamlit", "memory", '["command"]']),
        ("directory", errno.ENOENT, ["/srv/sales (No such file", '["working_directory"]']),
        ("directory", errno.EACCES, ["/srv/sales (Permission", '["working_directory"]']),
    ],
)
def test_why_a_command_cannot_be_started(step: str, error: int, texts: list[str]) -> None:
    problem = diagnosis.not_started(step, error, key, program="streamlit", directory="/srv/sales")

    assert all(text in problem for text in texts)


@pytest.mark.parametrize(
    ("status", "number", "text"),
    [
        (1, 0, 'exit status 1. Check web_apps["sales"]["command"]. Last line of output: broken'),
        (0, 0, "must stay in the foreground: change web_apps"),
        (None, 9, "was killed (SIGKILL), perhaps because memory ran out"),
        (None, 11, "was ended by SIGSEGV"),
        (None, 63, "was ended by signal 63"),
        (None, 0, "was ended together with its launcher"),
    ],
)
def test_how_a_command_has_ended(status: int | None, number: int, text: str) -> None:
    assert text in diagnosis.ended(status, number, "broken", key)


def test_a_command_without_output_has_said_nothing() -> None:
    assert diagnosis.ended(1, 0, "", key).endswith("It has written no output.")


@pytest.mark.parametrize(
    ("ports", "reason", "texts"),
    [
        ([], "", ["does not listen on 127.0.0.1:4000 after 60 s", "{port}", '["start_timeout"]']),
        ([8501], "", ["listens on port 8501 instead of 127.0.0.1:4000", '["command"]']),
        ([], "it accepts connections only", ["does not respond", "it accepts connections only"]),
    ],
)
def test_why_a_command_is_not_ready(ports: list[int], reason: str, texts: list[str]) -> None:
    problem = diagnosis.not_ready(60, "127.0.0.1:4000", ports, key, reason=reason, last_line="")

    assert all(text in problem for text in texts)


@pytest.mark.parametrize(
    ("strip", "root", "prefixed", "twice", "command", "text"),
    [
        (False, OK, MISSING, MISSING, "app {port}", "responds only at /"),
        (False, OK, MISSING, MISSING, "app {port} {prefix}", "strip_prefix"),
        (False, Response(302, "/login"), MISSING, MISSING, "app", "responds only at /"),
        (False, OK, Response(301, PREFIX), Response(301, PREFIX * 2), "app", "responds only at /"),
        (False, MISSING, MISSING, OK, "app {prefix}", "so the prefix is set twice"),
        (False, OK, MISSING, OK, "app {prefix}", "so the prefix is set twice"),
        (False, MISSING, MISSING, MISSING, "app --root-path={prefix}", "Option --root-path"),
        (True, Response(302, f"{PREFIX}/"), MISSING, None, "app {prefix}", "redirects to"),
        (True, Response(302, f"http://h{PREFIX}/a"), MISSING, None, "app", "redirects to"),
        (True, MISSING, OK, None, "app {prefix}", "but not at /: remove"),
    ],
)
def test_a_prefix_that_app_and_options_treat_differently_is_named(
    strip: bool,
    root: Response,
    prefixed: Response,
    twice: Response | None,
    command: str,
    text: str,
) -> None:
    problem = diagnosis.prefix_problem(
        root, prefixed, twice, prefix=PREFIX, strip_prefix=strip, command=command, key=key
    )

    assert text in problem
    assert 'web_apps["sales"]["strip_prefix"]' in problem


@pytest.mark.parametrize(
    ("strip", "root", "prefixed", "twice"),
    [
        (False, OK, OK, None),
        (False, MISSING, Response(401), MISSING),
        (False, MISSING, Response(308, f"http://h{PREFIX}"), MISSING),
        (False, Response(307, PREFIX), Response(308, PREFIX), MISSING),
        (False, MISSING, MISSING, MISSING),
        (False, None, None, None),
        (False, Response(302, f"{PREFIX}/"), MISSING, MISSING),
        (True, OK, OK, None),
        (True, Response(302, "/login"), MISSING, None),
        (True, MISSING, MISSING, None),
    ],
)
def test_an_app_that_may_be_right_has_no_problem(
    strip: bool, root: Response | None, prefixed: Response | None, twice: Response | None
) -> None:
    problem = diagnosis.prefix_problem(
        root, prefixed, twice, prefix=PREFIX, strip_prefix=strip, command="app", key=key
    )

    assert problem == ""


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        (
            "2026-11-30 ERROR: Refusing websocket connection from Origin 'https://hub.example.org';"
            "                       use --allow-websocket-origin=hub.example.org or set …",
            "--allow-websocket-origin",
        ),
        (
            "Rejecting WebSocket connection with disallowed Origin or Host header:"
            " origin=https://hub.example.org, host=app",
            "--server.enableCORS=false",
        ),
        (
            "Forbidden (Origin checking failed - https://hub.example.org does not match any trusted"
            " origins.): /admin/login/",
            "CSRF_TRUSTED_ORIGINS",
        ),
        (
            "Invalid HTTP_HOST header: 'hub.example.org'. You may need to add 'hub.example.org' to"
            " ALLOWED_HOSTS.",
            "ALLOWED_HOSTS",
        ),
        ("Blocking Cross Origin WebSocket Attempt.  Origin: https://hub", "allow_origin"),
        ("To allow this, configure allowedDevOrigins in next.config", "allowedDevOrigins"),
        ("403 POST /form (app): '_xsrf' argument missing from POST", "xsrf_cookie_name"),
        ("GET /sales 200", ""),
    ],
)
def test_a_line_of_a_framework_that_refuses_an_origin_names_its_setting(
    line: str, setting: str
) -> None:
    hint = diagnosis.hint_from_line(line)

    assert setting in hint
    assert bool(hint) == bool(setting)


@pytest.mark.parametrize(
    ("status", "headers", "body", "is_websocket", "setting"),
    [
        (
            403,
            {},
            b'Blocked request. This host ("hub") is not allowed.\nTo allow this host, add "hub" to'
            b" `server.allowedHosts` in vite.config.js.",
            False,
            "server.allowedHosts",
        ),
        (403, {}, b"<p>Origin checking failed - https://hub does not match any trusted origins.",
         False, "CSRF_TRUSTED_ORIGINS"),
        (400, {}, b"<title>DisallowedHost at /admin/</title>", False, "ALLOWED_HOSTS"),
        (400, {}, b"Invalid host header", False, "TrustedHostMiddleware"),
        (403, {}, b"XSRF token missing or invalid", False, "enableXsrfProtection"),
        (403, {}, b"Cross origin websockets not allowed", True, "in the app's settings"),
        (403, {"server": "TornadoServer/6.5"}, b"", True, "in the app's settings"),
        (403, {"server": "TornadoServer/6.5"}, b"", False, ""),
        (403, {}, b"\xff\xfe", True, ""),
        (200, {}, b"Invalid host header", False, ""),
        (403, {}, b"You may not see this report.", False, ""),
    ],
)  # fmt: skip
def test_a_response_of_a_framework_that_refuses_an_origin_names_its_setting(
    status: int, headers: dict[str, str], body: bytes, is_websocket: bool, setting: str
) -> None:
    hint = diagnosis.hint_from_response(status, headers, body, is_websocket)

    assert setting in hint
    assert bool(hint) == bool(setting)
