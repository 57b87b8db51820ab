"""All routes and Tornado settings of the core."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPMessageDelegate
from tornado.routing import AnyMatches, Rule
from tornado.web import Application

from ..handlers import static
from ..handlers.templates import PACKAGE
from ..hub.static_urls import hub_static_urls
from ..telemetry.access_log import log_request
from . import api, docs, health, home, login, status
from .apps import AppRouter

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..apps.manager import AppManager
    from ..handlers.context import ServiceContext
    from ..selfcheck import SelfCheck
    from ..settings import Settings


def make_web_app(
    settings: Settings,
    context: ServiceContext,
    apps: AppManager,
    selfcheck: SelfCheck,
    jinja_env: Environment,
) -> Application:
    def get_delegate(*target: Any) -> HTTPMessageDelegate:
        return application.get_handler_delegate(*target)

    router = AppRouter(context.prefix, apps, get_delegate)
    application = Application(
        # apps first: else each of their requests would be matched with all paths of the core
        [Rule(AnyMatches(), router), *make_routes(settings, context, apps, selfcheck)],
        default_handler_class=home.NotFoundHandler,
        context=context,
        cookie_secret=settings.cookie_secret,
        # xsrf_cookies stays unset: Tornado would check before authentication, and refuse
        # every POST with a token. The mixin checks for cookie sessions.
        log_function=log_request,
        compress_response=True,
        xsrf_cookie_kwargs=context.auth.xsrf_cookie_options,
        page_headers=page_headers(context.auth.hub_host, settings.frame_ancestors),
        api_headers=api_headers(settings.frame_ancestors),
        jinja_env=jinja_env,
        static_url=static.static_urls(PACKAGE, context.prefix + "static/"),
        hub_static_url=hub_static_urls(context.prefix + "static/jupyterhub/"),
    )
    return application


def make_routes(
    settings: Settings, context: ServiceContext, apps: AppManager, selfcheck: SelfCheck
) -> list[Any]:
    """The routes; ``P`` is the prefix from the hub."""
    prefix = re.escape(context.prefix)
    metrics = (
        health.MetricsHandler if settings.authenticate_prometheus else health.PublicMetricsHandler
    )
    checks = {"selfcheck": selfcheck}
    routes: list[Any] = []
    document = docs.APIDocument(context, apps, routes)
    routes += [
        (prefix, home.StartHandler, {"apps": apps}),
        (f"{prefix}home", home.HomeHandler, {"apps": apps}),
        (prefix[:-1], home.SlashHandler),
        (f"{prefix}api/user", api.UserHandler),
        (f"{prefix}oauth_callback", login.OAuthCallbackHandler, checks),
        (f"{prefix}logout", login.LogoutHandler),
        (f"{prefix}status", status.StatusHandler, {**checks, "apps": apps}),
        (f"{prefix}docs", docs.DocsHandler, {"package": PACKAGE}),
        (f"{prefix}api/?", api.RootHandler),
        (f"{prefix}api/openapi\\.json", docs.OpenAPIHandler, {"document": document}),
        *([(f"{prefix}api/debug", api.DebugHandler)] if settings.debug_api else []),
        (f"{prefix}api/status", status.StatusAPIHandler, {**checks, "apps": apps}),
        (f"{prefix}api/.*", api.NotFoundAPIHandler),
        (f"{prefix}health", health.HealthHandler, checks),
        (f"{prefix}health/ready", health.ReadyHandler, {**checks, "apps": apps}),
        (f"{prefix}health/serving", health.ServingHandler, {"apps": apps}),
        (f"{prefix}metrics", metrics),
        (f"{prefix}static/jupyterhub/(.*)", static.HubStaticHandler),
        (f"{prefix}static/(.*)", static.StaticHandler, {"package": PACKAGE}),
        # for Kubernetes, which probes the port directly and not through the proxy
        ("/health", health.HealthHandler, checks),
        ("/health/ready", health.ReadyHandler, {**checks, "apps": apps}),
        ("/health/serving", health.ServingHandler, {"apps": apps}),
    ]
    return routes


def api_headers(frame_ancestors: str) -> dict[str, str]:
    """The headers of the API's responses, which must not be displayed as a page.

    They are private unless a handler sets other headers.

    Args:
        frame_ancestors: the sites whose pages may show ours in a frame.
    """
    return {
        "Server": "tornado_service",
        "Content-Type": "text/html; charset=UTF-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; frame-ancestors {frame_ancestors}",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def page_headers(hub_host: str, frame_ancestors: str) -> dict[str, str]:
    """The headers of pages and of everything else outside the API.

    Args:
        hub_host: the hub's origin if it is not ours (per-user subdomains), else empty.
        frame_ancestors: the sites whose pages may show ours in a frame.
    """
    hub = urlsplit(hub_host)
    sources = f"'self' {hub.scheme}://{hub.netloc}" if hub.netloc else "'self'"
    policy = {
        "default-src": "'none'",
        "script-src": sources,
        "style-src": sources,
        "img-src": f"{sources} data:",
        "font-src": sources,
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": frame_ancestors,
    }
    return {
        **api_headers(frame_ancestors),
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "Referrer-Policy": "same-origin",
    }
