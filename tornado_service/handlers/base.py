"""The base classes of all handlers: headers, cookies, pages and errors."""

from __future__ import annotations

from functools import partial
from http.client import responses
from typing import TYPE_CHECKING, Any, ClassVar

from jupyterhub.utils import get_browser_protocol
from tornado.web import MissingArgumentError, RequestHandler

from ..auth.cookies import cookie_attributes
from ..auth.decorators import METHODS, allow_unauthenticated
from ..telemetry.access_log import client_address
from .access import AccessMixin
from .errors import InvalidRequest, JSONErrorMixin
from .resource_isolation import ResourceIsolationMixin
from .templates import AppTemplates, FormState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..hub.client import HubCalls
    from .context import ServiceContext

#: The message on a page whose query or form is invalid.
INVALID_INPUT = (
    "Something in the link or in the form is missing or not valid."
    " Go back, correct it and try again."
)


class BaseHandler(ResourceIsolationMixin, AccessMixin, JSONErrorMixin):
    """A request by a user with access to this service.

    A method requires authentication unless it is marked with ``allow_unauthenticated``;
    ``needs_scopes`` requires more scopes than access.
    """

    #: Whether successful responses are logged at debug level only.
    quiet = False

    #: The label ``handler`` of metrics; by default the name of the class. Subclasses inherit
    #: neither this nor ``operation_ids``.
    metrics_name: ClassVar[str] = ""

    #: Names of operations in the OpenAPI document, by method: ``{"GET": "get_user"}``.
    operation_ids: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.metrics_name = vars(cls).get("metrics_name", cls.__name__)
        cls.operation_ids = vars(cls).get("operation_ids", {})

    app_templates: AppTemplates | None = None

    def initialize(self) -> None:
        self.context: ServiceContext = self.settings["context"]
        self.hub_auth = self.context.auth
        self.context.open_requests += 1

    def on_finish(self) -> None:
        self.context.open_requests -= 1

    def set_default_headers(self) -> None:
        """Set security headers on every response, errors included."""
        self._set_headers(self.settings["page_headers"])

    def _set_headers(self, headers: dict[str, str]) -> None:
        """Set headers that are known to be valid: set_header would check each character again."""
        for name, value in headers.items():
            self._headers[name] = value

    def compute_etag(self) -> str | None:
        """None for a response that must not be stored: no later request can have its ETag."""
        if "no-store" in self._headers.get("Cache-Control", ""):
            return None
        return super().compute_etag()

    def as_caller(self) -> HubCalls:
        """Call the Hub API with the user's own token, so that the hub decides what the user sees.

        A session's token has those of the app's ``user_scopes`` that the user has; a client's token
        has its own scopes.

        Raises:
            RuntimeError: the method allows unauthenticated requests, and this is one.
        """
        if self.current_user is None:
            raise RuntimeError(
                "as_caller() in a method with @allow_unauthenticated: no user is signed in"
            )
        auth, scopes = self.hub_auth, self.current_user.get("scopes")
        return self.context.hub.as_caller(
            auth.token_of(self), partial(auth.invalidate_identity, self), scopes
        )

    def get_current_user(self) -> None:
        """None: ``prepare`` has authenticated the request.

        The mixin's own version waits for the hub in a thread and blocks the event loop.
        """
        return

    @property
    def client_ip(self) -> str:
        """The address of the client, as the nearest proxy reports it."""
        return client_address(self.request)

    def head(self, *args: str, **kwargs: str) -> Any:
        """Respond as GET does; Tornado omits the body."""
        return self.get(*args, **kwargs)

    @property
    def allowed_methods(self) -> str:
        """The methods of this handler, as an ``Allow`` header."""
        unimplemented = RequestHandler._unimplemented_method
        has = {
            name
            for name in METHODS
            if getattr(type(self), name.lower()) is not unimplemented and name != "HEAD"
        }
        if "GET" in has:
            has.add("HEAD")
        return ", ".join(sorted(has | {"OPTIONS"}))

    @allow_unauthenticated
    def options(self, *args: str, **kwargs: str) -> None:
        self.set_header("Allow", self.allowed_methods)
        self.set_status(204)

    def set_error_headers(self, status_code: int, **kwargs: Any) -> None:
        """Set ``Allow``, ``WWW-Authenticate``, ``Retry-After`` and ``Cache-Control``."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.set_header("Cache-Control", "no-store")
        if status_code == 405:
            self.set_header("Allow", self.allowed_methods)
        elif status_code == 401:
            self.set_header("WWW-Authenticate", f'Bearer realm="{self.context.name}"')
        elif getattr(error, "retry_after", None) is not None:
            self.set_header("Retry-After", str(error.retry_after))

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set a cookie: same-site, and secure if browsers use https.

        Attributes have Tornado's names, in any case; given ones take precedence.
        """
        kwargs = cookie_attributes(kwargs)
        kwargs.setdefault("samesite", "Lax")
        if name.startswith("__Host-"):  # browsers refuse it otherwise
            kwargs.update(path="/", domain=None, secure=True)
        if self.context.public_https or get_browser_protocol(self.request) == "https":
            kwargs.setdefault("secure", True)
        super().set_cookie(name, value, *args, **kwargs)


class APIHandler(BaseHandler):
    """A handler that returns JSON to API clients. No cache stores its responses."""

    def set_default_headers(self) -> None:
        self._set_headers(self.settings["api_headers"])


class PageHandler(BaseHandler):
    """A handler that renders pages in the hub's look.

    Attributes:
        form: the rejected input of its form; empty before a form is rejected.
    """

    form = FormState()

    def accepts_html(self) -> bool:
        """HTML, unless another type is accepted explicitly (the hub's own probe accepts none)."""
        accept = self.request.headers.get("Accept", "")
        return not accept or "text/html" in accept or "*/*" in accept

    def shows_user(self) -> bool:
        """Whether a page may have the user's name, and the XSRF token, which stands for the user.

        With ``checks_origin``, any page of our origin may request it, such as one of another user's
        server: then only a page that the browser opens in a window. A service worker that forwards
        navigations gets their responses first.
        """
        destination = self.request.headers.get("Sec-Fetch-Dest", "document")
        return not self.checks_origin or (self.is_navigation() and destination == "document")

    def template_namespace(self) -> dict[str, Any]:
        """The variables of all templates. None of them is secret."""
        user = self.current_user if self.shows_user() else None
        return {
            "prefix": self.hub_auth.base_url,
            "hub_prefix": self.hub_auth.hub_host + self.hub_auth.hub_prefix,
            "service_name": self.context.name,
            "service_title": self.context.title or self.context.name,
            "user": {
                "name": user["name"],
                "admin": bool(user.get("admin")),
                "has_admin_rights": self.hub_auth.is_admin(self),
            }
            if user
            else None,
            "xsrf_token": self.xsrf_token.decode() if user else "",
            "form": self.form,
            "static_url": self.settings["static_url"],
            "hub_static_url": self.settings["hub_static_url"],
            **(self.app_templates.namespace if self.app_templates else {}),
        }

    def write_page(self, template: str, **names: Any) -> None:
        """Render a template with ``template_namespace`` and further variables."""
        env = self.app_templates.jinja_env if self.app_templates else self.settings["jinja_env"]
        page = env.get_template(template)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(page.render(**self.template_namespace(), **names))

    def wants_error_page(self) -> bool:
        return self.is_navigation() or "text/html" in self.request.headers.get("Accept", "")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if not self.wants_error_page():
            super().write_error(status_code, **kwargs)
            return
        self.set_error_headers(status_code, **kwargs)
        error = kwargs.get("exc_info", (None, None, None))[1]
        names = {
            **self.public_error(status_code, **kwargs),
            "reason": responses.get(status_code, "Error"),
            "retry_after": getattr(error, "retry_after", None)
            if self.request.method == "GET"
            else None,
        }
        if isinstance(error, (InvalidRequest, MissingArgumentError)):
            names["message"] = INVALID_INPUT  # its own messages are for API clients
        try:
            self.write_page("error.html", **names)
        except Exception:
            if self.app_templates is None:
                raise
            self.context.log.exception("App %s: no error page with its navigation", self.app.name)
            self.app_templates = None
            self._write_buffer.clear()
            self.write_page("error.html", **names)
        self.finish()
