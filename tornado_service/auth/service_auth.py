"""Authentication by JupyterHub's library: non-blocking, bounded, and failing with 503.

Handlers call ``ServiceAuth.authenticate``, which calls the library's ``HubAuth.get_user``. It and
``StatelessOAuth`` override these methods of the library:

- ``user_for_token``: called by ``HubAuth._get_user`` and ``HubOAuth._get_user_cookie``;
- ``_get_user``: called by ``HubAuth.get_user``;
- ``_get_user_cookie``: called by ``HubAuth._get_user``;
- ``_get_token_url``: called by ``HubAuth.get_token``;
- ``get_session_id``: called by ``HubAuth._get_user`` and for the XSRF token;
- ``check_xsrf_cookie``: called by ``HubOAuth._get_user_cookie``, and by handlers;
- ``_clear_cookie``, ``_api_request``, ``set_state_cookie``: see ``oauth.py``.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any

from jupyterhub.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler
from traitlets import Float, Integer, default

from ..hub.client import HubClient, HubUnavailable
from ..network import TLSFiles
from ..telemetry.metrics import Metrics
from . import fetch_metadata
from .cookie_reader import has_xsrf_token
from .environment import EnvironmentDefaults
from .identity_cache import Identity, IdentityCache, IdentityKey
from .login_state import derive_key
from .oauth import StatelessOAuth
from .request_cache import READ_ONLY, RequestCache, RequestKey, is_by_header, mark_by_header

#: A token in a header needs it for administrators' pages, as it does for details of the hub itself.
#: Admins have it, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
ADMIN_SCOPE = "read:hub"


def derive_cookie_secret(api_token: str) -> bytes:
    """A cookie secret with the lifetime of the service's token.

    In z2jh the chart keeps the token, so users stay signed in across restarts, and nothing is
    written to disk.
    """
    return derive_key(api_token.encode(), b"tornado_service cookie secret")


class ServiceAuth(EnvironmentDefaults, StatelessOAuth):
    """The user of a request, and the permissions that the hub grants."""

    cache_size = Integer(
        2000,
        help="""Size of the cache of users and clients, and of those of refused and of signed-out
        tokens. Default: 2000.""",
        min=1,
    ).tag(config=True)

    stale_grace = Float(
        60.0,
        help="""Seconds beyond ``cache_max_age`` for which cached users and clients may read while
        the hub does not respond. Default: 60.""",
        min=0,
    ).tag(config=True)

    refused_max_age = 10  # seconds; bounds a loop of requests with an expired token

    #: Whether an administrator allows other sites to show our pages in frames.
    may_be_framed = False

    @default("cache_max_age")
    def _default_cache_max_age(self) -> int:
        # the library's default of 300 s would accept a revoked token for five minutes
        return 60

    def __init__(self, metrics: Metrics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tls = TLSFiles(self.keyfile, self.certfile, self.client_ca)
        self.hub = HubClient(
            metrics,
            self.tls,
            parent=self.parent,
            api_url=self.api_url,
            api_token=self.api_token,
        )
        self.identities = IdentityCache(
            size=self.cache_size,
            max_age=self.cache_max_age,
            refused_max_age=self.refused_max_age,
            stale_grace=self.stale_grace,
            metrics=metrics,
        )
        self._requests = RequestCache(self.cache_size, self.cache_max_age)

    def use_token(self, token: str) -> None:
        """Use a new token of the service: for the Hub API, and as its OAuth client's secret."""
        self.api_token = token
        self.hub.use_token(token)
        # a cookie secret that is derived from the token changes, too
        self.__dict__.pop("state_cipher", None)
        self._requests = RequestCache(self.cache_size, self.cache_max_age)

    async def authenticate(self, handler: RequestHandler) -> Identity | None:
        """The user of a request, if any.

        Raises:
            HubUnavailable: the hub has to confirm the user, and does not respond.
        """
        key = RequestKey.of(handler)
        credentials = self._requests.get(key) if key else None
        if credentials is not None:
            cached = self.identities.get_fresh(credentials.identity_key)
            if cached is not None:
                mark_by_header(handler, credentials)
                return cached
        identity: Identity | None = await self.get_user(handler, sync=False)
        if key and identity is not None and not handler.has_other_sessions:  # type: ignore[attr-defined]
            identity_key, _ = self.identity_lookup(handler)
            self._requests.put(key, identity_key, is_by_header=self.uses_header_token(handler))
        return identity

    def user_for_token(
        self,
        token: str,
        use_cache: bool = True,
        session_id: str = "",
        *,
        sync: bool = True,
        revalidate: bool = False,
    ) -> Any:
        """The user of a token: from one call of the hub, then from the cache.

        Raises:
            RuntimeError: ``sync`` is not ``False``, so the call would block.
        """
        if sync:
            raise RuntimeError("This would block the event loop: await it, with sync=False.")
        return self.identities.get(
            IdentityKey.of(token, session_id),
            lambda: self._fetch_user(token),
            revalidate=revalidate or not use_cache,
        )

    async def _get_user(self, handler: RequestHandler) -> Identity | None:
        """Call the library; if the request changes something, the hub confirms the user.

        If the hub no longer does, the request may have another token that it accepts.
        """
        while True:
            began = time.monotonic()
            identity = await self._find_user(handler)
            if (
                identity is None
                or handler.request.method in READ_ONLY
                or identity.confirmed_at >= began
            ):
                return identity
            confirmed: Identity | None = await self.user_for_token(
                self.token_of(handler),
                session_id=self.get_session_id(handler),
                sync=False,
                revalidate=True,
            )
            if confirmed is not None:
                return confirmed
            for name in ("_cached_hub_user", "_token_authenticated"):  # of the library
                handler.__dict__.pop(name, None)

    async def _find_user(self, handler: RequestHandler) -> Identity | None:
        handler._is_checking_header_token = True  # type: ignore[attr-defined]
        try:
            identity: Identity | None = await super()._get_user(handler)
        finally:
            handler._is_checking_header_token = False  # type: ignore[attr-defined]
        return identity

    async def _get_user_cookie(self, handler: RequestHandler) -> Identity | None:
        """Call the library, after no token in a header was valid."""
        handler._is_checking_header_token = False  # type: ignore[attr-defined]
        identity: Identity | None = await super()._get_user_cookie(handler)
        # afterwards, as the token is bound to one of possibly several sessions
        if getattr(handler, "checks_origin", False):
            return identity
        if self._is_readable_by_scripts(handler.request) and not has_xsrf_token(handler):
            return None
        return identity

    def check_xsrf_cookie(self, handler: RequestHandler) -> None:
        """Refuse a request that a script of a foreign page may have sent.

        Raises:
            HTTPError: 403, the XSRF token is missing or invalid.
        """
        super().check_xsrf_cookie(handler)
        if self.uses_header_token(handler) or not self._is_readable_by_scripts(handler.request):
            return
        if not has_xsrf_token(handler):
            raise HTTPError(403, "'_xsrf' argument missing or wrong: scripts use serviceFetch().")

    def _is_readable_by_scripts(self, request: HTTPServerRequest) -> bool:
        return request.method in READ_ONLY and fetch_metadata.is_readable_by_scripts(
            request.headers, may_be_framed=self.may_be_framed
        )

    async def _fetch_user(self, token: str) -> dict[str, Any] | None:
        response = await self.hub.request(
            "GET",
            url_path_join(self.api_url, "user"),
            headers={"Authorization": f"token {token}"},
        )
        if response.status in (401, 403):
            return None
        if response.status != 200 or not _is_user_model(response.json):
            raise HubUnavailable(f"{self.api_url}/user returned {response.status}, and no user")
        return response.json

    def _get_token_url(self, handler: RequestHandler) -> str:
        """None: tokens in URLs end up in logs and browser histories; also none for WebSockets."""
        return ""

    def get_session_id(self, handler: RequestHandler) -> str:
        """The browser's session at the hub; a token in a header is valid without one."""
        if getattr(handler, "_is_checking_header_token", False) or self.uses_header_token(handler):
            return ""
        return super().get_session_id(handler)

    def uses_header_token(self, handler: RequestHandler) -> bool:
        """Whether the request was authenticated by a token in a header, and not by the cookie.

        The header alone does not show that: proxies add their own ``Authorization`` to requests.
        """
        return is_by_header(handler)

    def token_of(self, handler: RequestHandler) -> str:
        """The token that authenticated the request; not an invalid one sent with a valid cookie."""
        if self.uses_header_token(handler):
            return self.get_token(handler, in_cookie=False)
        return self._get_token_cookie(handler)

    def has_header_token(self, handler: RequestHandler) -> bool:
        """Whether a header has a token of an API client, valid or not.

        The scheme is ``token`` or ``Bearer``; proxies use ``Basic`` or ``Negotiate``.
        """
        return bool(self.get_token(handler, in_cookie=False))

    def has_own_token(self, handler: RequestHandler) -> bool:
        """Whether a header has the service's own token, which no user has."""
        token = self.get_token(handler, in_cookie=False) or ""
        return hmac.compare_digest(token.encode(), self.api_token.encode())

    def has_session_cookie(self, handler: RequestHandler) -> bool:
        """Whether the request has a session cookie that we have signed, valid or not."""
        return bool(self._get_token_cookie(handler))

    def invalidate_identity(self, handler: RequestHandler) -> None:
        """Remove the user from the cache: their next request calls the hub again."""
        key, _ = self.identity_lookup(handler)
        self.identities.invalidate(key)

    def identity_lookup(
        self, handler: RequestHandler
    ) -> tuple[IdentityKey, Callable[[], Awaitable[Identity | None]]]:
        """The cache key of a request's user, and a function that fetches the user again."""
        token = self.token_of(handler)
        session_id = self.get_session_id(handler)
        key = IdentityKey.of(token, session_id)
        return key, lambda: self.user_for_token(
            token, session_id=session_id, sync=False, revalidate=True
        )

    def missing_scopes(self, required: frozenset[str], user: dict[str, Any]) -> set[str]:
        return {scope for scope in required if not self.check_scopes({scope}, user)}

    def is_admin(self, handler: RequestHandler) -> bool:
        """Whether the user is an admin of the hub, and may use admin functions here.

        A token in a header may have fewer permissions than its owner: it needs
        ``ADMIN_SCOPE``. A session's token never has that scope, as the hub restricts it to the
        scopes of this service's OAuth client; the cookie shows that the admin uses the browser.
        """
        user = handler.current_user
        if not user or not user.get("admin"):
            return False
        return not self.uses_header_token(handler) or self.check_scopes({ADMIN_SCOPE}, user)

    @property
    def access_scope(self) -> str:
        """The scope to grant for access to this service, the narrowest possible."""
        return max(self.access_scopes, key=len, default="access:services")

    def sign_out(self, handler: RequestHandler) -> list[bytes]:
        """Revoke the user's identity and clear the cookie: they are signed out here at once.

        Returns:
            Digests of the tokens, for other replicas of the service.
        """
        session_id = super().get_session_id(handler)
        keys = [IdentityKey.of(token, session_id) for token in self._session_tokens(handler)]
        for key in keys:
            self.identities.revoke(key)
        handler.has_other_sessions = False  # type: ignore[attr-defined]
        self.clear_cookie(handler)
        return [key.token for key in keys]


def _is_user_model(model: Any) -> bool:
    return (
        isinstance(model, dict)
        and isinstance(model.get("name"), str)
        and isinstance(model.get("scopes"), list)
    )
