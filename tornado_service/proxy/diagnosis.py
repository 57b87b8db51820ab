"""What is wrong with a web app, in one line for administrators that names the key to change."""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Callable, Mapping
from typing import Protocol


class Status(Protocol):
    """A response of the app."""

    @property
    def status(self) -> int: ...

    @property
    def location(self) -> str: ...


Key = Callable[[str], str]
"""The full name of an app's option, such as ``c.TornadoService.web_apps["sales"]["command"]``."""


def not_started(step: str, error: int, key: Key, *, program: str, directory: str) -> str:
    """Why a command could not be started.

    Args:
        step: ``command`` or ``directory``, the one that failed.
        error: its errno.
        key: names an option.
        program: the first element of the command.
        directory: its working directory.
    """
    reason = os.strerror(error)
    if step == "directory":
        return (
            f"Cannot use the directory {directory} ({reason}): change {key('working_directory')}."
        )
    if error == errno.ENOENT:
        return (
            f"Command not found: {program}. Install the program (or the interpreter that its first"
            f" line names), or set its full path in {key('command')}."
        )
    if error in (errno.EACCES, errno.ENOEXEC):
        return f"{program} is not executable ({reason}): change {key('command')}."
    return f"Cannot start {program} ({reason}): change {key('command')}."


def ended(status: int | None, number: int, last_line: str, key: Key) -> str:
    """How a command has ended by itself.

    Args:
        status: its exit status, if it has exited.
        number: the signal that has ended it, or 0.
        last_line: the last line of its output.
        key: names an option.
    """
    if number == signal.SIGKILL:
        how = "was killed (SIGKILL), perhaps because memory ran out"
    elif number:
        how = f"was ended by {_signal_name(number)}"
    elif status is None:
        how = "was ended together with its launcher"
    else:
        how = f"ended with exit status {status}"
    if status == 0:
        advice = f" It must stay in the foreground: change {key('command')}."
    else:
        advice = f" Check {key('command')}." if status is not None else ""
    output = f" Last line of output: {last_line}" if last_line else " It has written no output."
    return f"The command {how}.{advice}{output}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def not_ready(
    seconds: float, address: str, other_ports: list[int], key: Key, *, reason: str, last_line: str
) -> str:
    """Why a command that runs is not ready in time.

    Args:
        seconds: ``start_timeout``.
        address: where it should listen.
        other_ports: the ports where it listens instead; the same one if on another address.
        key: names an option.
        reason: what it does instead of responding; empty if nothing listens at the address.
        last_line: the last line of its output.
    """
    ports = " and ".join(map(str, other_ports))
    output = f" Last line of output: {last_line}" if last_line else ""
    if reason:
        return (
            f"The command listens on {address}, but does not respond to HTTP requests within"
            f" {seconds:g} s: {reason}. Check {key('command')}, or increase"
            f" {key('start_timeout')}.{output}"
        )
    if any(address.endswith(f":{port}") for port in other_ports):
        return (
            f"The command does not listen on {address}, but on this port of another address: pass"
            f" its option for the address, such as --host=127.0.0.1, in {key('command')}."
        )
    if ports:
        return (
            f"The command listens on port {ports} instead of {address}: pass {{port}} or"
            f" {{unix_socket}} to the program in {key('command')}."
        )
    return (
        f"The command does not listen on {address} after {seconds:g} s: check that"
        f" {key('command')} passes {{port}} or {{unix_socket}} to the program, or increase"
        f" {key('start_timeout')}.{output}"
    )


def exposed(port: int, key: Key) -> str:
    """That others than the service can connect to the app.

    Args:
        port: where it listens.
        key: names an option.
    """
    return (
        f"The app listens on port {port} of all interfaces, so clients can reach it without signing"
        f" in, as any user: let it listen on 127.0.0.1 (such as --server.address=127.0.0.1 of"
        f" Streamlit, --host=127.0.0.1 of others) or on {{unix_socket}} in {key('command')}."
    )


def prefix_problem(
    root: Status | None,
    prefixed: Status | None,
    twice: Status | None,
    *,
    prefix: str,
    strip_prefix: bool,
    command: str,
    key: Key,
) -> str:
    """Whether the app and ``strip_prefix`` disagree about the prefix; empty if they do not.

    Args:
        root: the response of the app at ``/``.
        prefixed: that at its prefix.
        twice: that at its prefix, twice.
        prefix: without a slash at the end.
        strip_prefix: whether requests are sent to the app without the prefix.
        command: the command in one line, with placeholders.
        key: names an option.
    """
    strip = key("strip_prefix")
    has_prefix = bool(re.search(r"\{prefix\}", command))
    if strip_prefix:
        if root and _leads_to(root.location, prefix):
            return (
                f"The app redirects to {prefix} by itself, so the prefix is set twice: remove"
                f" {strip}, or {{prefix}} from {key('command')}."
            )
        if _exists(prefixed) and not _exists(root):
            return f"The app responds at {prefix}/, but not at /: remove {strip}."
        return ""
    only_at_root = _exists(root) and not (root and _leads_to(root.location, prefix))
    if _exists(prefixed) and not (prefixed and only_at_root and is_bare(prefixed.location, prefix)):
        return ""
    if _exists(twice) and not (prefixed and prefixed.location):
        return (
            f"The app responds only at {prefix}{prefix}/, so the prefix is set twice: set {strip}"
            f" to True, or remove one {{prefix}} from {key('command')}."
        )
    if only_at_root:
        where = "" if has_prefix else f", or pass {{prefix}} to the program in {key('command')}"
        return f"The app responds only at /, not at {prefix}/: set {strip} to True{where}."
    if prefixed and "--root-path" in command:  # it adds this prefix to each path
        return f"Option --root-path requires paths without the prefix: set {strip} to True."
    return ""


def outside_link(link: str, prefix: str, key: Key) -> str:
    """That the app's page has a link that leads out of the app.

    Args:
        link: its path.
        prefix: without a slash at the end.
        key: names an option.
    """
    return (
        f"The app's page links to {link}, which is not below {prefix}/: pass {{prefix}} to the"
        f" app's option for its path in {key('command')} or {key('environment')}, or make the"
        " links relative."
    )


def _exists(response: Status | None) -> bool:
    return response is not None and response.status != 404


def is_bare(location: str, prefix: str) -> bool:
    """Whether a redirect leads to the prefix without a slash.

    Some apps have their first page there; others remove the slash of any path.
    """
    return _path_of(location) == prefix


def _path_of(location: str) -> str:
    return re.sub(r"^https?://[^/]*", "", location)


def _leads_to(location: str, prefix: str) -> bool:
    path = _path_of(location)
    return path == prefix or path.startswith((f"{prefix}/", f"{prefix}?"))


_BOKEH = (
    "The app refuses WebSockets of this origin: pass --allow-websocket-origin with the host that"
    " users see in their browsers, such as hub.example.org, to bokeh or panel in the command, or"
    " set BOKEH_ALLOW_WS_ORIGIN in its environment."
)
_STREAMLIT = (
    "Streamlit refuses this origin: pass --server.corsAllowedOrigins with the URL of the hub, such"
    " as https://hub.example.org, in the command, or --server.enableCORS=false (earlier versions"
    " also need --server.enableXsrfProtection=false), as the service checks origins itself."
)
_STREAMLIT_UPLOAD = (
    "Streamlit refuses uploads without its XSRF token: pass --server.enableXsrfProtection=false in"
    " the command, as the service checks origins itself."
)
_TORNADO_XSRF = (
    "The app's XSRF cookie is named _xsrf, as that of the hub, which apps do not get: set"
    " Tornado's xsrf_cookie_name in the app."
)
_DJANGO_ORIGIN = (
    "Django refuses forms of this origin: add the URL of the hub, such as"
    " https://hub.example.org, to CSRF_TRUSTED_ORIGINS in the app's settings."
)
_DJANGO_HOST = (
    "Django refuses this host: add the host that users see in their browsers to ALLOWED_HOSTS in"
    " the app's settings."
)
_VITE = (
    "Vite refuses this host: add the host that users see in their browsers to server.allowedHosts"
    " in vite.config.js (preview.allowedHosts for a preview)."
)
_NEXT = (
    "Next.js refuses this origin: add the host that users see in their browsers to"
    " allowedDevOrigins in next.config.js."
)
_JUPYTER = (
    "The app refuses WebSockets of this origin: add the URL of the hub to"
    " ServerApp.allow_origin (for Voilà, VoilaConfiguration.allow_origin)."
)
_WEBPACK = (
    "The development server refuses this host: add the host that users see in their browsers to"
    " devServer.allowedHosts."
)
_STARLETTE_HOST = (
    "The app refuses this host: add the host that users see in their browsers to allowed_hosts of"
    " its TrustedHostMiddleware."
)
_UNKNOWN_ORIGIN = (
    "The app refuses WebSockets of this origin: allow the host that users see in their browsers in"
    " the app's settings."
)

#: What frameworks write to their log, or in a response, when they refuse an origin or a host.
_HINTS = (
    ("Refusing websocket connection from Origin", _BOKEH),
    ("Rejecting WebSocket connection with disallowed Origin", _STREAMLIT),
    ("XSRF token missing or invalid", _STREAMLIT_UPLOAD),
    ("'_xsrf' argument missing from", _TORNADO_XSRF),
    ("does not match any trusted origins", _DJANGO_ORIGIN),
    ("Invalid HTTP_HOST header", _DJANGO_HOST),
    ("DisallowedHost at ", _DJANGO_HOST),
    ("allowedHosts` in vite.config", _VITE),
    ("allowedDevOrigins", _NEXT),
    ("Blocking Cross Origin WebSocket Attempt", _JUPYTER),
    ("Invalid Host header", _WEBPACK),
    ("Invalid host header", _STARLETTE_HOST),
)


def hint_from_line(line: str) -> str:
    """What to change if a line of output says that the framework refuses an origin or a host."""
    return next((hint for text, hint in _HINTS if text in line), "")


def hint_from_response(
    status: int, headers: Mapping[str, str], start_of_body: bytes, is_websocket: bool
) -> str:
    """What to change if the framework has refused a request because of its origin or host.

    Args:
        status: that of its response.
        headers: those of its response, by names in any case.
        start_of_body: the first bytes of its body; some kilobytes are enough.
        is_websocket: whether the request was to open a WebSocket.
    """
    if status not in (400, 403):
        return ""
    text = start_of_body[:65536].decode("utf-8", "replace")
    if hint := hint_from_line(text):
        return hint
    if "CSRF verification failed" in text:
        # the reason is in its log only; a missing cookie is as likely
        return ""
    is_tornado = any(
        name.lower() == "server" and value.startswith("TornadoServer")
        for name, value in headers.items()
    )
    if is_websocket and ("Cross origin websockets not allowed" in text or is_tornado):
        return _UNKNOWN_ORIGIN
    return ""
