"""Sign-in and sign-out: the OAuth callback and ``logout``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyterhub.services.auth import HubOAuthCallbackHandler
from jupyterhub.utils import get_browser_protocol
from tornado.web import HTTPError

from ..auth.decorators import allow_unauthenticated
from ..auth.login_state import LoginState, safe_redirect_target
from ..handlers.base import PageHandler
from ..hub.errors import HubUnavailable

if TYPE_CHECKING:
    from ..selfcheck import SelfCheck


class OAuthCallbackHandler(PageHandler, HubOAuthCallbackHandler):
    """GET oauth_callback: the hub redirects the browser here after sign-in."""

    metrics_name = "OAuthCallbackHandler"

    #: The encrypted state of the sign-in that this request finishes, once it is verified.
    _accepted_state: str | None = None

    def initialize(self, selfcheck: SelfCheck) -> None:  # type: ignore[override]
        super().initialize()
        self._selfcheck = selfcheck

    @allow_unauthenticated
    async def get(self) -> None:
        """Finish the sign-in as the hub's library does, if this browser began it.

        Raises:
            HTTPError: 403, it did not begin here, or the hub refused; 400, the code is invalid.
            HubUnavailable: the hub does not respond.
        """
        if self._is_script_request():
            # the hub gives a user's code to any script of the origin, for a sign-in of its own
            # https://fetch.spec.whatwg.org/#dom-response-url
            if self.request.query:
                self.redirect(self.request.path)
                return
            raise HTTPError(403, "Sign in by opening a page, not from a script.")
        if self.get_argument("error", ""):
            raise HTTPError(403, "The hub refused this login. Open the page again.")
        encrypted = self.get_argument("state", "")
        state = self.hub_auth.state_cipher.decrypt(encrypted)
        if state is None:
            raise HTTPError(403, "This login did not start here. Open the page again.")
        if state.is_expired or not state.belongs_to(self.hub_auth.browser_id_of(self)):
            await self._restart_login(state)
            return
        self._accepted_state = encrypted
        try:
            await HubOAuthCallbackHandler.get(self)
        except HTTPError as error:
            self._selfcheck.check_soon()
            if error.status_code < 500 or isinstance(error, HubUnavailable):
                raise
            raise HubUnavailable("it rejected the token that it has just issued") from error
        self.hub_auth.sign_ins.finished += 1
        origin = f"{get_browser_protocol(self.request)}://{self.request.host}"
        self._selfcheck.record_sign_in(origin)

    def _is_script_request(self) -> bool:
        """Whether a script could read the response's URL, with the code in it."""
        return "Sec-Fetch-Mode" in self.request.headers and not self.is_navigation()

    def get_secure_cookie(self, name: str, *args: Any, **kwargs: Any) -> bytes | None:
        """The expected state for the library's comparison, as we have verified it already."""
        if self._accepted_state is not None and name == self.hub_auth.state_cookie_name:
            return self._accepted_state.encode()
        return super().get_secure_cookie(name, *args, **kwargs)

    async def _restart_login(self, state: LoginState) -> None:
        """Redirect to the page: at once if the user is signed in, else by another sign-in."""
        if await self.hub_auth.authenticate(self):
            self.redirect(safe_redirect_target(state.next_url, self.hub_auth.base_url))
        elif state.is_retry or not self.is_navigation():
            raise HTTPError(
                403,
                "The login failed twice. Check that cookies are enabled, then open the page again.",
            )
        else:
            self.redirect(self.hub_auth.retry_login_url(self, state))


class LogoutHandler(PageHandler):
    """P/logout: sign out here, then at the hub."""

    metrics_name = "LogoutHandler"

    @allow_unauthenticated
    def get(self) -> None:
        """Show a confirmation, as any page of the origin can open this one, in a window too.

        Raises:
            HTTPError: 403, it is no navigation; the page's token is not for scripts.
        """
        if not self.is_navigation():
            raise HTTPError(403, "Sign out by opening this page, not from a script.")
        self.write_page("logout.html")

    @allow_unauthenticated
    async def post(self) -> None:
        """Remove the cookie and the cached identity, without the hub, and tell other replicas.

        The page that follows links to the hub's own sign-out. A redirect would not always work:
        browsers apply the form's policy to it (https://www.w3.org/TR/CSP3/#directive-form-action),
        and hubs may redirect to the sign-out of an identity provider.

        Raises:
            HTTPError: 403, the form was not sent by a page of ours.
        """
        try:
            self.check_xsrf_cookie()
        except HTTPError as error:
            raise HTTPError(403, "This page is out of date. Open it again to log out.") from error
        tokens = self.hub_auth.sign_out(self)
        await self.context.replicas.publish_sign_outs(tokens)
        self.write_page("logout.html")

    def template_namespace(self) -> dict[str, Any]:
        """The variables of every page; without a user, and with a token for navigations only."""
        token = self.xsrf_token.decode() if self.is_navigation() else ""
        return {**super().template_namespace(), "user": None, "xsrf_token": token}
