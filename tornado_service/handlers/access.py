"""Authentication and access checks, before any method of a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from jupyterhub.services.auth import UserNotAllowed
from tornado.web import HTTPError

from ..auth.cookie_reader import CookieReader
from ..auth.decorators import access_of
from ..auth.fetch_metadata import SUBRESOURCES, is_page_navigation
from ..auth.origin import is_allowed_origin

if TYPE_CHECKING:
    from ..auth.identity_cache import Identity
    from .context import ServiceContext


class AccessMixin(CookieReader):
    """Lets requests of users with access pass, and redirects browsers to the sign-in page."""

    #: Whether requests are checked by where they come from, and not by our XSRF token, which pages
    #: of others do not have: those that change something, and WebSockets, need
    #: ``Sec-Fetch-Site: same-origin`` or an ``Origin`` or ``Referer`` of our own. A token of an API
    #: client is exempt. Where user servers share our origin, their pages pass this check, too.
    checks_origin: ClassVar[bool] = False

    #: The app that the handler belongs to; ``None`` for the core's.
    app: Any = None

    context: ServiceContext
    quiet = False

    async def prepare(self) -> None:
        access = access_of(type(self), self.request.method or "")  # type: ignore[arg-type]
        if access is None:
            raise HTTPError(405)
        if access.allows_anonymous:
            return
        user = await self.hub_auth.authenticate(self)
        if user is None:
            await self._reject_anonymous()
            return
        self.current_user = user  # the error page may show them; no method runs before the check
        if self.checks_origin:
            self._check_origin()
        self._check_access(user, access.scopes)

    def may_begin_sign_in(self) -> bool:
        """Whether a request without a session is redirected to the sign-in."""
        return self.is_navigation()

    async def _reject_anonymous(self) -> None:
        if self.may_begin_sign_in():
            if not self._may_be_hub_probe():
                await self.context.hub.check(max_age=5)
            elif self.request.path == self.hub_auth.base_url:
                self.quiet = True  # the hub repeats this request periodically
            # the mixin adds the OAuth state, and PKCE if the hub supports it
            self.redirect(self.get_login_url())
            return
        if self.hub_auth.has_session_cookie(self):
            # signed in by cookie: report a missing XSRF token
            self.check_xsrf_cookie()
        raise HTTPError(
            401,
            "Not signed in, or your session has expired. Open the page in a browser to sign in,"
            " or send a valid token: 'Authorization: token …'",
        )

    def _may_be_hub_probe(self) -> bool:
        """Whether this may be the hub's check that the service is up, which must not get a 503."""
        headers = self.request.headers
        return "Sec-Fetch-Mode" not in headers and "text/html" not in headers.get("Accept", "")

    def check_xsrf_cookie(self) -> None:
        """Check the XSRF token, unless ``checks_origin`` takes its place."""
        if not self.checks_origin:
            super().check_xsrf_cookie()

    def _check_origin(self) -> None:
        headers, host = self.request.headers, self.context.public_host
        if not self.hub_auth.uses_header_token(self) and not is_allowed_origin(
            self.request.method or "", headers, host
        ):
            self.hub_auth.refused_origins.log(headers)
            raise HTTPError(
                403,
                "This request does not come from a page of this site. Programs send a token:"
                " 'Authorization: token …'",
            )

    def _check_access(self, user: Identity, more: frozenset[str]) -> None:
        key = (type(self), more)
        missing = user.missing_scopes.get(key)
        if missing is None:
            missing = user.missing_scopes[key] = self._missing_scopes(user, more)
        if missing:
            raise HTTPError(
                403,
                "%s is signed in, but may not do this: the scope %s is missing."
                " An admin of the hub can grant it.",
                user["name"],
                ", ".join(sorted(missing)),
            )
        if self.app is not None and not self.app.allows(user):
            raise HTTPError(
                403,
                "%s is signed in, but may not open %s. An admin of the hub can change that.",
                user["name"],
                self.app.title or self.app.name,
            )

    def _missing_scopes(self, user: Identity, more: frozenset[str]) -> set[str]:
        try:
            self.check_hub_user(user)
        except UserNotAllowed:
            return {self.hub_auth.access_scope}
        return self.hub_auth.missing_scopes(more, user)

    def is_navigation(self) -> bool:
        """Whether a browser navigates to this URL, so that a redirect makes sense.

        Browsers state this on https and on localhost
        (https://www.w3.org/TR/fetch-metadata/); elsewhere they only accept HTML. A proxy may
        have added a token: over http, ``Upgrade-Insecure-Requests`` distinguishes browsers from
        clients (https://www.w3.org/TR/upgrade-insecure-requests/#preference).
        """
        headers = self.request.headers
        if self.request.method not in ("GET", "HEAD"):
            return False
        if "Sec-Fetch-Mode" in headers:
            return is_page_navigation(headers, may_be_framed=self.hub_auth.may_be_framed)
        if headers.get("X-Requested-With") or headers.get("X-Xsrftoken"):
            return False  # only scripts can send these
        if self.hub_auth.has_header_token(self):
            return headers.get("Upgrade-Insecure-Requests") == "1"
        return self.accepts_html()

    def accepts_html(self) -> bool:
        return "text/html" in self.request.headers.get("Accept", "")

    def is_subresource(self) -> bool:
        """Whether a page loads this URL as an image, a script, a style sheet or the like.

        Browsers state this on https and on localhost, as in ``is_navigation``.
        """
        headers = self.request.headers
        return "Sec-Fetch-Dest" in headers and headers["Sec-Fetch-Dest"] in SUBRESOURCES
