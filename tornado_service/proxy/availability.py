"""Whether a web app takes requests; what visitors get if it does not."""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader
from tornado.web import HTTPError

from .forward.target import Target, is_shortage
from .process.supervisor import NotStarted

#: Seconds until a page or a program asks again while an app starts.
STARTING_RETRY = 3

#: The same, if it cannot be reached.
UNREACHABLE_RETRY = 5


class AppFailure(HTTPError):
    """The app cannot be reached, or its response cannot be passed on.

    Attributes:
        retry_after: seconds after which to retry; None if that does not help.
    """

    def __init__(self, status: int, message: str, retry_after: int | None) -> None:
        super().__init__(status, message)
        self.retry_after = retry_after


class AppStarting(AppFailure):
    """503: the app's process does not respond yet, or its start has failed and is repeated.

    Attributes:
        is_failing: whether its start has failed.
    """

    def __init__(self, *, is_failing: bool = False) -> None:
        message = "This app does not run. Admins can see why on the Status page."
        if not is_failing:
            message = "This app is starting. Try again soon."
        super().__init__(503, message, UNREACHABLE_RETRY if is_failing else STARTING_RETRY)
        self.is_failing = is_failing


def target_of(app: Any) -> Target:
    """Where an app listens now."""
    target: Target = app.supervisor.target if app.supervisor is not None else app.url_target
    return target


def require_ready(app: Any) -> None:
    """Start an app's process if it does not run.

    Raises:
        AppStarting: 503, it does not take requests yet.
    """
    supervisor = app.supervisor
    if supervisor is None or supervisor.is_ready:
        return
    supervisor.request_start()
    raise AppStarting(is_failing=supervisor.is_failing)


async def wait_ready(app: Any) -> None:
    """Start an app's process if it does not run, and wait until it takes requests.

    Raises:
        AppFailure: 503, it has failed to start, or takes too long.
    """
    if app.supervisor is None:
        return
    try:
        await app.supervisor.wait_ready()
    except NotStarted as error:
        raise AppFailure(503, str(error), UNREACHABLE_RETRY) from error


def unreachable(app: Any, error: OSError, request_id: str) -> AppFailure:
    """Log that an app has refused a connection, and have its process checked."""
    reason = error.strerror or error
    if isinstance(error, ConnectionError) and error.errno:  # asyncio's text has the address alone
        reason = os.strerror(error.errno)
    app.log.warning("App %s cannot be reached, request_id=%s: %s", app.name, request_id, reason)
    if is_shortage(error):
        message = "The service has too many connections. Try again soon."
        return AppFailure(503, message, UNREACHABLE_RETRY)
    if app.supervisor is not None:
        app.supervisor.report_unreachable()
    else:
        advice = "start it there, let its firewall or network policy admit the service"
        if isinstance(error, ssl.SSLError):
            advice = "give it a certificate that is trusted here (see SSL_CERT_FILE of OpenSSL)"
        app.url_problem = (
            f"The app does not respond at {app.options.url} ({reason}): {advice}, or change"
            f" {app.option_name('url')}."
        )
    return AppFailure(503, "This app does not respond. Try again soon.", UNREACHABLE_RETRY)


def invalid_response(app: Any, error: Exception, request_id: str) -> AppFailure:
    """Log why a response of an app is not passed on."""
    app.log.warning(
        "App %s sent an invalid response, request_id=%s: %s", app.name, request_id, error
    )
    return AppFailure(502, "This app sent an invalid response.", None)


@cache
def with_own_templates(env: Environment) -> Environment:
    """The templates of an app and ours; a class of an author has its own package."""
    loaders: Any = [PackageLoader("tornado_service.proxy"), env.loader]
    return env.overlay(loader=ChoiceLoader(loaders))


def starting_page(handler: Any, error: AppStarting) -> str:
    """The page for a user who opens an app that does not run yet; it reloads by itself.

    Admins see the process and what is wrong.
    """
    names = handler.template_namespace()
    is_admin = names["user"] is not None and names["user"]["has_admin_rights"]
    supervisor = handler.app.supervisor
    page = with_own_templates(handler.app_templates.jinja_env).get_template("starting.html")
    return page.render(
        **names,
        retry_after=error.retry_after,
        is_failing=error.is_failing,
        is_admin=is_admin,
        problem=supervisor.problem if is_admin else "",
        details=supervisor.details if is_admin else {},
    )
