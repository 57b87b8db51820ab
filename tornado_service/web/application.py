"""Every address and every Tornado setting, on one page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from tornado.web import Application

from ..hub.static_urls import hub_static_urls
from ..telemetry.log import log_request
from . import api, docs, status
from . import health as ops
from . import home as pages
from .apps import AppRouter

if TYPE_CHECKING:
    from ..app import TornadoService

#: Templates and static files are read as this package's resources: it may lie in a zip.
PACKAGE = "tornado_service"


def make_web_app(service: TornadoService) -> Application:
    """The Tornado application of a service."""
    apps = AppRouter(service)
    routes = make_routes(service)
    told = [route for route in routes if service.debug_api or route[1] is not api.DebugHandler]
    return Application(
        [*routes, (apps.pattern, apps)],
        default_handler_class=pages.NotFoundHandler,
        service=service,
        cookie_secret=service.cookie_secret,
        # xsrf_cookies stays unset: Tornado would check before it is known who asks, and refuse
        # every POST with a token. The mixin checks for cookie sessions.
        log_function=log_request,
        compress_response=True,
        xsrf_cookie_kwargs=service.auth.xsrf_cookie_options,
        page_headers=page_headers(service.auth.hub_host, service.frame_ancestors),
        api_headers=api_headers(service.frame_ancestors),
        api_document=docs.APIDocument(service, told),
        jinja_env=make_jinja_env(service.template_paths),
        static_url=ops.static_urls(PACKAGE, service.auth.base_url + "static/"),
        hub_static_url=hub_static_urls(service.auth.base_url + "static/jupyterhub/"),
    )


def make_routes(service: TornadoService) -> list[Any]:
    """What answers where; ``P`` is the prefix that the hub gave us."""
    prefix = re.escape(service.auth.base_url)
    metrics = ops.MetricsHandler if service.authenticate_prometheus else ops.OpenMetricsHandler
    return [
        (prefix, pages.HomeHandler),
        (prefix[:-1], pages.SlashHandler),
        (f"{prefix}api/user", api.UserHandler),
        (f"{prefix}oauth_callback", pages.OAuthCallbackHandler),
        (f"{prefix}logout", pages.LogoutHandler),
        (f"{prefix}status", status.StatusHandler),
        (f"{prefix}docs", docs.DocsHandler, {"package": PACKAGE}),
        (f"{prefix}api/?", api.RootHandler),
        (f"{prefix}api/openapi\\.json", docs.OpenAPIHandler),
        (f"{prefix}api/debug", api.DebugHandler),
        (f"{prefix}api/status", status.StatusAPIHandler),
        (f"{prefix}api/.*", api.NotFoundAPIHandler),
        (f"{prefix}health", ops.HealthHandler),
        (f"{prefix}health/ready", ops.ReadyHandler),
        (f"{prefix}metrics", metrics),
        (f"{prefix}static/jupyterhub/(.*)", ops.HubStaticHandler),
        (f"{prefix}static/(.*)", ops.StaticHandler, {"package": PACKAGE}),
        # for Kubernetes, which probes the port and not through the proxy
        ("/health", ops.HealthHandler),
        ("/health/ready", ops.ReadyHandler),
    ]


def make_jinja_env(template_paths: list[str]) -> Environment:
    """Templates: an admin's own first; ours stay in reach as ``templates/page.html``."""
    ours = PackageLoader(PACKAGE)
    loader = ChoiceLoader(
        [PrefixLoader({"templates": ours}), FileSystemLoader(template_paths), ours]
    )
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # else each page waits for a look at the files; a restart takes new ones
        trim_blocks=True,
        lstrip_blocks=True,
    )


def api_headers(frame_ancestors: str) -> dict[str, str]:
    """The headers of the API's answers, which nothing may show as a page.

    They are personal unless a handler says otherwise.

    Args:
        frame_ancestors: the sites whose pages may hold ours in a frame.
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
    """The headers of pages and of all that is no API.

    Args:
        hub_host: the hub's origin where it is not ours (per-user subdomains), else empty.
        frame_ancestors: the sites whose pages may hold ours in a frame.
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
