"""OAuth sign-in: the browser, not the process, stores its encrypted state."""

from __future__ import annotations

import json
import os
import secrets
from functools import cached_property
from typing import Any

from jupyterhub._xsrf_utils import _get_signed_value_urlsafe
from jupyterhub.services.auth import HubOAuth
from tornado.httputil import url_concat
from tornado.web import HTTPError, RequestHandler
from traitlets import TraitError, default, validate

from ..hub.client import HubClient, HubUnavailable
from .cookie_reader import CookieReader
from .cookies import cookie_attributes
from .identity_cache import Identity
from .login_state import LoginState, LoginStateCipher, SignIns, safe_redirect_target
from .origin import RefusedOrigins


class StatelessOAuth(HubOAuth):
    """The library's OAuth; any process with the same cookie secret can finish a sign-in."""

    hub: HubClient

    @cached_property
    def sign_ins(self) -> SignIns:
        """The number of sign-ins since the start."""
        return SignIns()

    @cached_property
    def refused_origins(self) -> RefusedOrigins:
        """The origins of pages whose requests were refused, for the log."""
        return RefusedOrigins(self.log, self.base_url)

    @cached_property
    def state_cipher(self) -> LoginStateCipher:
        return LoginStateCipher(self.parent.cookie_secret, self.oauth_state_max_age)

    @default("cookie_options")
    def _default_cookie_options(self) -> Any:
        try:
            options = json.loads(os.environ.get("JUPYTERHUB_COOKIE_OPTIONS") or "{}")
        except ValueError:
            raise TraitError(
                "JUPYTERHUB_COOKIE_OPTIONS is not JSON. Write it as in"
                """ '{"SameSite": "None", "Secure": true}'."""
            ) from None
        # traitlets checks only the type of a default
        return _validated_attributes(options) if isinstance(options, dict) else options

    @validate("cookie_options")
    def _validate_cookie_options(self, proposal: dict[str, Any]) -> dict[str, Any]:
        return _validated_attributes(proposal["value"])

    @property
    def xsrf_cookie_options(self) -> dict[str, Any]:
        """The options of the XSRF cookie: those of all cookies, as on the hub, with our path.

        It is always HttpOnly: pages contain the token, so no script has to read the cookie.
        """
        options = {name: value for name, value in self.cookie_options.items() if name != "path"}
        return {**options, "httponly": True}

    def set_state_cookie(
        self,
        handler: RequestHandler,
        next_url: str | None = None,
        *,
        code_verifier: str | None = None,
        is_retry: bool = False,
    ) -> str:
        """Begin a sign-in, for the library's ``get_login_url``, and return its encrypted state.

        One cookie identifies the browser, for all of its sign-ins.
        """
        known_id = self.browser_id_of(handler)
        self.sign_ins.repeated += bool(known_id) and not is_retry
        browser_id = known_id or secrets.token_urlsafe(16)
        target = safe_redirect_target(next_url or "", self.base_url)
        handler.set_secure_cookie(
            self.state_cookie_name,
            browser_id,
            path=self.cookie_path,
            httponly=True,
            max_age=self.oauth_state_max_age,
            expires_days=None,
            **self._state_cookie_options(),
        )
        return self.state_cipher.encrypt(LoginState(browser_id, target, code_verifier, is_retry))

    def retry_login_url(self, handler: RequestHandler, expired: LoginState) -> str:
        """Where to restart an expired sign-in, as the library's ``get_login_url``."""
        parameters: dict[str, str] = {}
        code_verifier = None
        if getattr(self, "pkce_enabled", False):  # from JupyterHub 6 on
            code_verifier, challenge, method = self.generate_pkce_code_challenge()
            parameters = {"code_challenge": challenge, "code_challenge_method": method}
        parameters["state"] = self.set_state_cookie(
            handler, expired.next_url, code_verifier=code_verifier, is_retry=True
        )
        return str(url_concat(self.login_url, parameters))

    def _state_cookie_options(self) -> dict[str, Any]:
        ours = {"path", "httponly", "max_age", "expires", "expires_days"}
        return {key: value for key, value in self.cookie_options.items() if key not in ours}

    async def _get_user_cookie(self, handler: Any) -> Identity | None:
        """The user of the first session cookie that the hub accepts.

        Cookies with the same name and a longer path may precede it; their sessions may have ended.
        """
        first = self._get_token_cookie(handler)
        tokens: list[str | None] = [*self._session_tokens(handler)]
        handler.has_other_sessions = len(tokens) > 1
        for token in tokens or [None]:
            self._select_session(handler, token)
            identity: Identity | None = await super()._get_user_cookie(handler)
            if identity is not None:
                return identity
        self._select_session(handler, first)
        return None

    def _session_tokens(self, handler: Any) -> list[str]:
        """The tokens of all session cookies that are signed by us, without duplicates."""
        first = self._get_token_cookie(handler)
        if not first:
            return []
        signed = handler.signed_cookies(self.cookie_name)
        return list(dict.fromkeys([first, *(token.decode("ascii", "replace") for token in signed)]))

    def _select_session(self, handler: Any, token: str | None) -> None:
        handler._hub_auth_token_cookie = token
        handler.__dict__.pop("_xsrf_token", None)  # it belongs to a session

    def get_session_id(self, handler: Any) -> str:
        """The browser's session at the hub, which the XSRF token is bound to.

        The hub's cookie applies to all of its paths: its path is the shortest, so it comes last.
        Cookies before it are sent to some pages only.
        """
        ids: list[str] = list(handler.cookie_values("jupyterhub-session-id"))
        return ids[-1] if ids else ""

    def own_xsrf_token(self, handler: CookieReader) -> bytes | None:
        """The XSRF cookie of this session."""
        own = handler._xsrf_token_id  # computed each time
        for value in handler.cookie_values("_xsrf"):
            if _get_signed_value_urlsafe(handler, "_xsrf", value) == own:
                return value.encode()
        return None

    def _clear_cookie(self, handler: RequestHandler, cookie_name: str, **kwargs: Any) -> None:
        """Clear a cookie with the attributes it was set with, else browsers keep it.

        A refused session cookie stays if there are others: ours may be one of those.
        """
        if cookie_name == self.cookie_name and getattr(handler, "has_other_sessions", False):
            return
        kept = {"domain", "samesite", "secure", "partitioned"}
        if cookie_name == self.cookie_name:
            kept.add("path")
        options = {key: value for key, value in self.cookie_options.items() if key in kept}
        super()._clear_cookie(handler, cookie_name, **{**kwargs, **options})

    def browser_id_of(self, handler: RequestHandler) -> str | None:
        """The browser's id in the state cookie, if it is signed by us and not expired."""
        days = self.oauth_state_max_age / 86400
        value = handler.get_secure_cookie(self.state_cookie_name, max_age_days=days)
        return value.decode() if value else None

    def get_next_url(self, state_id: str = "", /) -> str:
        """The target of a sign-in, for the library's callback; never outside our prefix."""
        state = self.state_cipher.decrypt(state_id)
        return safe_redirect_target(state.next_url, self.base_url) if state else self.base_url

    def get_code_verifier(self, state_id: str = "", /) -> str | None:
        """The PKCE verifier of a sign-in, for the library's callback."""
        state = self.state_cipher.decrypt(state_id)
        return state.code_verifier if state else None

    def get_state_cookie_name(self, state_id: str = "", /) -> str:
        """The name of the single state cookie, for the library's callback."""
        return self.state_cookie_name

    async def _api_request(self, method: str, url: str, /, **kwargs: Any) -> Any:
        """Exchange the code of a sign-in for a token, for the library.

        The library's version responds with 500 when the hub is down, waits up to five minutes (6.x)
        and reads a response of any size. 5.x passes ``body``, 6.x ``data``.
        """
        headers = {"Authorization": f"token {self.api_token}", **kwargs.get("headers", {})}
        body = kwargs.get("data", kwargs.get("body"))
        response = await self.hub.request(method, url, headers=headers, body=body)
        if (
            response.status < 300
            and isinstance(response.json, dict)
            and "access_token" in response.json
        ):
            return response.json
        if response.status < 300:
            raise HubUnavailable("it returned no token for a code")
        self.sign_ins.failed += 1
        error = response.json.get("error") if isinstance(response.json, dict) else None
        self.log.warning("The hub returned %d for %s %s", response.status, method, url)
        if error == "invalid_client":
            raise HTTPError(
                400,
                "The hub does not accept this service's token, so no user can sign in."
                " An admin finds the reason with tornado-service doctor.",
            )
        raise HTTPError(400, "The hub did not accept this login. Open the page again.")


def _validated_attributes(options: dict[str, Any]) -> dict[str, Any]:
    try:
        return cookie_attributes(options)
    except ValueError as error:
        raise TraitError(
            f"ServiceAuth.cookie_options ($JUPYTERHUB_COOKIE_OPTIONS): {error}."
        ) from error
