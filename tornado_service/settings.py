"""The settings of the service, and their defaults, mostly from the hub's environment."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import jupyterhub
from traitlets import (
    Bool,
    Dict,
    Float,
    HasTraits,
    Integer,
    List,
    TraitError,
    Unicode,
    default,
    validate,
)

from ._version import DOCS_URL
from .auth.environment import external_service_problem
from .auth.service_auth import ServiceAuth, derive_cookie_secret
from .config.checks import ConfigError
from .config.launch import is_launched_by_hub
from .config.traits import TextOrBytes, normalize_ancestors
from .hub.versions import OLDEST_SUPPORTED, SUPPORTED_VERSIONS
from .network import is_loopback_host, port_of


def service_url_problem(service_url: str, prefix: str) -> str:
    """Why the URL or the prefix at which the hub reaches us is invalid; empty if it is valid.

    An external service with a port needs no URL.
    """
    try:
        url = urlsplit(service_url)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_url = False
    if service_url and not is_url:
        return f"JUPYTERHUB_SERVICE_URL is {service_url!r}: it takes http://HOST:PORT."
    if not prefix.startswith("/") or not prefix.endswith("/"):
        return (
            f"JUPYTERHUB_SERVICE_PREFIX is {prefix!r}: it takes a path that begins and ends with a"
            " slash, such as /services/NAME/."
        )
    return ""


def shared_database_problem(url: str, replica_count: int) -> str:
    """Why the replicas of a service cannot share its database; empty if they can."""
    setting = "TornadoService.database_url ($TORNADO_SERVICE_DATABASE_URL)"
    if not url and replica_count == 1:
        return ""
    if not url:
        return (
            f"There are {replica_count} replicas and no database that they share: set {setting} to"
            " a PostgreSQL database, as in postgresql+psycopg2://user:password@host/name, or run"
            " one process (TornadoService.replica_count, $TORNADO_SERVICE_REPLICAS)."
        )
    # here, as it loads SQLAlchemy, which a service without a database does not need
    from .database.engine import make_engine
    from .database.errors import DatabaseUnusable

    try:
        engine = make_engine(url, setting)
    except DatabaseUnusable as error:
        return str(error)
    is_postgresql = engine.dialect.name == "postgresql"
    engine.dispose()
    return "" if is_postgresql else f"{setting} is not a PostgreSQL database, which replicas share."


class Settings(HasTraits):
    """The settings of the service itself, ``c.TornadoService``."""

    auth: ServiceAuth

    config_file = Unicode(
        help="The config file to load. Default: none. One that is named must exist."
    ).tag(config=True)

    generate_config = Bool(
        False, help="Write a config file with every setting in it, and exit. Default: False."
    ).tag(config=True)

    service_name = Unicode(
        help="The service's name in the hub. Default: $JUPYTERHUB_SERVICE_NAME."
    ).tag(config=True)

    service_url = Unicode(
        help="""The URL at which the proxy reaches this process. The service uses only its port, its
        scheme, and whether its host is literally a loopback address.
        Default: $JUPYTERHUB_SERVICE_URL, which is the ``url`` in the hub's configuration."""
    ).tag(config=True)

    ip = Unicode(
        help="""The IP address to listen on; empty for all interfaces, IPv4 and IPv6.
        Default: that of the service's URL if it is literally a loopback address or ``localhost``,
        else all interfaces."""
    ).tag(config=True)

    port = Integer(
        help="""The port to listen on. With it, a service that the hub does not launch needs no URL.
        Default: that of the service's URL.""",
        min=0,
        max=65535,
    ).tag(config=True)

    shutdown_grace = Float(
        5.0,
        help="Seconds in which open requests may finish when the service stops. Default: 5.",
        min=0,
    ).tag(config=True)

    max_body_size = Integer(
        1024 * 1024, help="The largest request body, in bytes. Default: 1 MiB.", min=0
    ).tag(config=True)

    database_timeout = Float(
        10.0,
        help="""Timeout in seconds of a statement of an app's database, and of opening a connection.
        After it, the statement is canceled, and the response is 503. Migrations at the start of an
        app have no timeout. Default: 10.""",
        min=0.1,
    ).tag(config=True)

    cookie_secret = TextOrBytes(
        help="""The key that signs cookies, 32 bytes or more: text, such as the output of
        ``openssl rand -hex 32``, or bytes.
        Default: $TORNADO_SERVICE_COOKIE_SECRET, else derived from the service's API token, so
        that it changes only with the token and is never stored."""
    ).tag(config=True)

    api_token_file = Unicode(
        help="""A file with the service's API token, such as a mounted Kubernetes Secret; read again
        when it changes. For a service that the hub does not launch.
        Default: none, the token is in $JUPYTERHUB_API_TOKEN."""
    ).tag(config=True)

    database_url = Unicode(
        help="""The PostgreSQL database through which several replicas of the service are one
        service: SQLAlchemy's URL, such as ``postgresql+psycopg2://user:password@host/name``.
        Default: $TORNADO_SERVICE_DATABASE_URL, else none: there is one process."""
    ).tag(config=True)

    replica_count = Integer(
        help="""The number of replicas that are run; with more than one, ``database_url`` is
        required. Default: $TORNADO_SERVICE_REPLICAS, else 1.""",
        min=1,
    ).tag(config=True)

    authenticate_prometheus = Bool(
        True,
        help="Require the scope read:metrics for the endpoint metrics. Default: True.",
    ).tag(config=True)

    debug_api = Bool(
        False,
        help="""Enable api/debug, which shows request headers and environment to admins. Tokens,
        cookies and other values that are not on an allow-list are left out. Default: False.""",
    ).tag(config=True)

    frame_ancestors = Unicode(
        "'none'",
        help=f"""The sites that may show the service's pages in a frame, such as an LMS:
        ``https://lms.example.org``, several with spaces between, as in the Content-Security-Policy
        (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/frame-ancestors).
        A site that you allow can trick users into clicking what they do not see (click-jacking):
        name only sites that you trust, and no ``*``. With ``'self'`` or the hub's own URL, each
        user's server can read the service's pages in a frame, unless servers have subdomains.
        Browsers send cookies to a frame of another site only with ``SameSite=None; Secure``: see
        {DOCS_URL}how-to/frames.html.
        Default: ``'none'``, no frames.""",
    ).tag(config=True)

    template_paths = List(
        Unicode(),
        help="""Directories with templates of your own, which replace the service's templates of the
        same name and can extend them as "templates/page.html". Changes take effect at the next
        start. Default: none.""",
    ).tag(config=True)

    apps = List(
        Unicode(),
        help="""The apps to run, each as ``my_module:MyApp`` or by the name of an entry point of the
        group ``tornado_service.apps``. If one fails, the others run. Default: none.""",
    ).tag(config=True)

    web_apps = Dict(
        help=f"""Web apps of any framework, behind the hub's sign-in. The keys are their names and
        parts of the path; the values are their options: ``{{"sales": {{"command":
        ["streamlit", "run", "sales.py", "--server.port={{port}}", "--server.address=127.0.0.1",
        "--server.baseUrlPath={{prefix}}"], "allowed_groups": ["analysts"]}}}}``. All options:
        {DOCS_URL}how-to/web-apps.html . If one fails, the others run. Default: none.""",
        key_trait=Unicode(),
    ).tag(config=True)

    home_app = Unicode(
        help="""The name of the app that opens at the service's URL. Users who may not open it, and
        all users while it does not run, get the home page, which is always at ``home``.
        Default: the only app; with several apps, the home page."""
    ).tag(config=True)

    title = Unicode(
        help="""The name of the service in the menu and the titles of its pages, such as "Usage".
        Default: the title of the only app; with several apps or none, the name of the service."""
    ).tag(config=True)

    @property
    def may_be_framed(self) -> bool:
        """Whether pages may be shown in frames."""
        return self.frame_ancestors != "'none'"

    @property
    def token_file(self) -> str:
        """The file with the token, if a hub has not launched this service; else empty."""
        return "" if is_launched_by_hub() else self.api_token_file

    def check_environment(self) -> None:
        """Check the settings of a service that a supported hub launches, or of an external one.

        Raises:
            ConfigError: one is missing or invalid; the message says what to change.
        """
        if problem := self._missing_settings() or self._external_problem():
            raise ConfigError(problem)
        if problem := service_url_problem(self.service_url, self.auth.base_url):
            raise ConfigError(problem)
        if problem := shared_database_problem(self.database_url, self.replica_count):
            raise ConfigError(problem)
        if jupyterhub.version_info[:3] < OLDEST_SUPPORTED:
            raise ConfigError(
                f"JupyterHub {jupyterhub.__version__} is too old: its authentication library has"
                f" known vulnerabilities. Install {SUPPORTED_VERSIONS}."
            )

    def _missing_settings(self) -> str:
        given = {
            "JUPYTERHUB_SERVICE_NAME": self.service_name,
            "JUPYTERHUB_SERVICE_URL": self.service_url,
            "JUPYTERHUB_API_URL": self.auth.api_url,
        }
        if is_launched_by_hub():
            given["JUPYTERHUB_SERVICE_PREFIX"] = self.auth.base_url.strip("/")
            given["JUPYTERHUB_CLIENT_ID"] = self.auth.oauth_client_id
        elif self.trait_has_value("port"):
            del given["JUPYTERHUB_SERVICE_URL"]
        given["JUPYTERHUB_API_TOKEN"] = self.auth.api_token  # last: the log redacts what follows
        missing = ", ".join(name for name, value in given.items() if not value)
        if not missing:
            return ""
        return (
            f"Not set: {missing}. A JupyterHub sets these when it launches the service"
            " (c.JupyterHub.services with a url and a command). For a service that something else"
            " starts, set them to what the hub's configuration has; TornadoService.api_token_file"
            " and --port will do for the token and the URL."
            " To try it without a hub: tornado-service demo"
        )

    def _external_problem(self) -> str:
        if is_launched_by_hub():
            return ""
        auth = self.auth
        return external_service_problem(self.service_name, auth.api_url, auth.hub_host)

    def check_cookie_secret(self) -> None:
        """Check the length of the cookie secret.

        Raises:
            ConfigError: it is too short.
        """
        if len(self.cookie_secret) < 32:
            raise ConfigError(
                "The cookie secret is shorter than 32 bytes: set TornadoService.cookie_secret or"
                " $TORNADO_SERVICE_COOKIE_SECRET to a longer one (openssl rand -hex 32) or to none."
            )

    @validate("frame_ancestors")
    def _validate_frame_ancestors(self, proposal: dict[str, Any]) -> str:
        return normalize_ancestors(str(proposal["value"]))

    @default("service_name")
    def _default_service_name(self) -> str:
        return os.environ.get("JUPYTERHUB_SERVICE_NAME", "")

    @default("service_url")
    def _default_service_url(self) -> str:
        return os.environ.get("JUPYTERHUB_SERVICE_URL", "")

    @default("ip")
    def _default_ip(self) -> str:
        host = urlsplit(self.service_url).hostname or ""
        return host if is_loopback_host(host) else ""

    @default("port")
    def _default_port(self) -> int:
        return port_of(self.service_url)

    @default("database_url")
    def _default_database_url(self) -> str:
        return os.environ.get("TORNADO_SERVICE_DATABASE_URL", "")

    @default("replica_count")
    def _default_replica_count(self) -> int:
        given = os.environ.get("TORNADO_SERVICE_REPLICAS") or "1"
        if not given.isascii() or not given.isdecimal() or int(given) < 1:
            raise TraitError(
                f"TORNADO_SERVICE_REPLICAS is {given!r}: it takes a number, 1 or more."
            )
        return int(given)

    @default("cookie_secret")
    def _default_cookie_secret(self) -> bytes:
        given = os.environ.get("TORNADO_SERVICE_COOKIE_SECRET", "")
        return given.encode(errors="surrogateescape") or derive_cookie_secret(self.auth.api_token)
