"""Sign-in: JupyterHub's own mixins, asynchronous, closed by default."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyterhub.utils import url_path_join
from tornado.web import HTTPError
from traitlets import Float, Integer, default

from ..hub.client import HubUnavailable
from . import fetch_metadata, xsrf
from .identity_cache import Identity, IdentityCache, IdentityKey, LRUCache
from .login_state import LoginStateCipher, derive_key
from .oauth import StatelessOAuth

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.web import RequestHandler

    from ..hub.client import HubClient

#: Methods that change nothing, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})

#: What a token in a header has to carry for what is shown to admins: the hub, too, tells details of
#: itself by it. Admins have it, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
ADMIN_SCOPE = "read:hub"

#: Longer ones are not remembered, but taken apart each time. In characters.
MAX_CACHE_KEY_LENGTH = 4096


def derive_cookie_secret(api_token: str) -> bytes:
    """A cookie secret that lasts as long as the service's token does.

    In z2jh the chart keeps the token, so people stay signed in over restarts, and nothing is
    written to disk.

    Args:
        api_token: the service's own API token.
    """
    return derive_key(api_token.encode(), b"tornado_service cookie secret")


class CachedRecognition(NamedTuple):
    """The caller behind some headers, and whether a token in a header is what showed it."""

    identity: Identity
    uses_header_token: bool


class ServiceAuth(StatelessOAuth):
    """The hub's OAuth for this service: never blocking, bounded, and failing as a 503."""

    cache_size = Integer(
        2000,
        help="""How many callers are remembered, and as many refused and signed-out tokens each.
        Default: 2000.""",
        min=1,
    ).tag(config=True)

    stale_grace = Float(
        60.0,
        help="""Seconds beyond ``cache_max_age`` for which known callers may go on reading while the
        hub does not answer. Default: 60.""",
        min=0,
    ).tag(config=True)

    refused_max_age = 10  # seconds; long enough for a loop of requests with a token that ended

    #: Whether an admin lets sites show our pages in frames.
    may_be_framed = False

    identities: IdentityCache

    @default("cache_max_age")
    def _default_cache_max_age(self) -> int:
        # the library's 300 s are five minutes for a revoked token
        return 60

    def connect(self, hub: HubClient, cookie_secret: bytes) -> None:
        """Say where the hub is asked, and what seals the states of sign-ins."""
        self.hub = hub
        self.state_cipher = LoginStateCipher(cookie_secret, self.oauth_state_max_age)
        self.identities = IdentityCache(
            size=self.cache_size,
            max_age=self.cache_max_age,
            refused_max_age=self.refused_max_age,
            stale_grace=self.stale_grace,
            metrics=hub.metrics,
        )
        self._header_cache: LRUCache[tuple[Any, ...], CachedRecognition] = LRUCache(self.cache_size)

    async def authenticate(self, handler: RequestHandler) -> Identity | None:
        """Who sends a request, or nobody.

        The library's way takes the cookies, signatures and the XSRF token apart each time. Here
        that is done once for the same headers, for as long as the hub's word on the caller counts.

        Raises:
            HubUnavailable: the hub would have to say, and does not answer.
        """
        request = handler.request
        key = _header_cache_key(request) if request.method in READ_ONLY else None
        known = self._header_cache.get(key) if key else None
        if known is not None and self.identities.is_fresh(known.identity):
            # what the library would have noted, for its XSRF check
            handler._token_authenticated = known.uses_header_token  # type: ignore[attr-defined]
            return known.identity
        identity: Identity | None = await self.get_user(handler, sync=False)
        if key and identity is not None and _is_cacheable(key, handler):
            self._header_cache.put(
                key, CachedRecognition(identity, self.uses_header_token(handler))
            )
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
        """The caller behind a token, for the library: by one call of the hub, then remembered.

        Raises:
            RuntimeError: asked to block, which would stop everybody else.
        """
        if sync:
            raise RuntimeError("This would block the event loop: await it, with sync=False.")
        return self.identities.get(
            _key(token, session_id),
            lambda: self._fetch_user(token),
            revalidate=revalidate or not use_cache,
        )

    async def _get_user(self, handler: RequestHandler) -> Identity | None:
        """The library's way to find out who sends a request; a change is confirmed by the hub."""
        began = time.monotonic()
        handler._is_checking_header_token = True  # type: ignore[attr-defined]
        try:
            identity: Identity | None = await super()._get_user(handler)
        finally:
            handler._is_checking_header_token = False  # type: ignore[attr-defined]
        if (
            identity is None
            or handler.request.method in READ_ONLY
            or identity.confirmed_at >= began
        ):
            return identity
        token = self.token_of(handler)
        session_id = self.get_session_id(handler)
        return await self.user_for_token(token, session_id=session_id, sync=False, revalidate=True)

    async def _get_user_cookie(self, handler: RequestHandler) -> Identity | None:
        """The library's way to find out whose cookie it is, after no token in a header did."""
        handler._is_checking_header_token = False  # type: ignore[attr-defined]
        identity: Identity | None = await super()._get_user_cookie(handler)
        # afterwards, as the token is one session's, and there may be cookies of several
        if self._is_readable_by_scripts(handler.request) and not xsrf.has_token(handler):
            return None
        return identity

    def check_xsrf_cookie(self, handler: RequestHandler) -> None:
        """See that a page of ours sends a request, where somebody else's script may have sent it.

        Raises:
            HTTPError: 403, the XSRF token is missing or wrong.
        """
        super().check_xsrf_cookie(handler)
        if self.uses_header_token(handler) or not self._is_readable_by_scripts(handler.request):
            return
        if not xsrf.has_token(handler):
            raise HTTPError(403, "'_xsrf' argument missing or wrong: scripts use serviceFetch().")

    def _is_readable_by_scripts(self, request: HTTPServerRequest) -> bool:
        return request.method in READ_ONLY and fetch_metadata.is_readable_by_scripts(
            request.headers, may_be_framed=self.may_be_framed
        )

    async def _fetch_user(self, token: str) -> dict[str, Any] | None:
        answer = await self.hub.request(
            "GET",
            url_path_join(self.api_url, "user"),
            headers={"Authorization": f"token {token}"},
        )
        if answer.status in (401, 403):
            return None
        if answer.status != 200 or not _is_user_model(answer.json):
            raise HubUnavailable(f"{self.api_url}/user answered {answer.status}, and no user")
        return answer.json

    def _get_token_url(self, handler: RequestHandler) -> str:
        """No token in an address, where logs and histories keep it; not for web sockets either."""
        return ""

    def get_session_id(self, handler: RequestHandler) -> str:
        """The browser's session at the hub; a token in a header is good without one."""
        if getattr(handler, "_is_checking_header_token", False) or self.uses_header_token(handler):
            return ""
        return super().get_session_id(handler)

    def uses_header_token(self, handler: RequestHandler) -> bool:
        """Whether the caller was recognized by a token in a header, and not by the cookie.

        A header alone says nothing: proxies send their own ``Authorization`` with each request.
        """
        return getattr(handler, "_token_authenticated", False)

    def token_of(self, handler: RequestHandler) -> str:
        """The token by which the caller was recognized; a wrong one beside a good cookie is not."""
        if self.uses_header_token(handler):
            return self.get_token(handler, in_cookie=False)
        return self._get_token_cookie(handler)

    def has_header_token(self, handler: RequestHandler) -> bool:
        """Whether a header has a token as programs send it, good or not.

        Its scheme is ``token`` or ``Bearer``; ``Basic`` or ``Negotiate`` are of a proxy's.
        """
        return bool(self.get_token(handler, in_cookie=False))

    def has_own_token(self, handler: RequestHandler) -> bool:
        """Whether a header has the service's own token, which no user has."""
        token = self.get_token(handler, in_cookie=False) or ""
        return hmac.compare_digest(token.encode(), self.api_token.encode())

    def has_session_cookie(self, handler: RequestHandler) -> bool:
        """Whether a cookie of a sign-in of ours has come, good or not."""
        return bool(self._get_token_cookie(handler))

    def invalidate_identity(self, handler: RequestHandler) -> None:
        """Have the hub say anew who the caller is, when they come again."""
        key, _ = self.identity_lookup(handler)
        self.identities.invalidate(key)

    def identity_lookup(
        self, handler: RequestHandler
    ) -> tuple[IdentityKey, Callable[[], Awaitable[Identity | None]]]:
        """By what a request is signed in: its key among the identities, and how to ask the hub.

        Raises:
            HubUnavailable: when asked, the hub does not answer.
        """
        token = self.token_of(handler)
        session_id = self.get_session_id(handler)
        key = _key(token, session_id)
        return key, lambda: self.user_for_token(
            token, session_id=session_id, sync=False, revalidate=True
        )

    def missing_scopes(self, required: frozenset[str], user: dict[str, Any]) -> set[str]:
        """Which of the scopes the user's token lacks."""
        return {scope for scope in required if not self.check_scopes({scope}, user)}

    def is_admin(self, handler: RequestHandler) -> bool:
        """Whether the caller is an admin of the hub, and may act here as one.

        A token in a header may be restricted to less than its owner may do: it needs
        ``ADMIN_SCOPE``. A session's token never has that, as the hub gives it the scopes of this
        service's OAuth client alone; the browser shows that the admin is there.
        """
        user = handler.current_user
        if not user or not user.get("admin"):
            return False
        return not self.uses_header_token(handler) or self.check_scopes({ADMIN_SCOPE}, user)

    @property
    def access_scope(self) -> str:
        """The scope to grant for access to this service, the narrowest that does."""
        return max(self.access_scopes, key=len, default="access:services")

    def sign_out(self, handler: RequestHandler) -> None:
        """Drop the caller's cached identity and cookie: they are signed out here at once."""
        for token in self._session_tokens(handler):
            self.identities.revoke(_key(token, super().get_session_id(handler)))
        handler.has_other_sessions = False  # type: ignore[attr-defined]
        self.clear_cookie(handler)


def _key(token: str, session_id: str) -> IdentityKey:
    return IdentityKey(_digest(token), _digest(session_id))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf8", "replace")).digest()


def _is_user_model(model: Any) -> bool:
    return (
        isinstance(model, dict)
        and isinstance(model.get("name"), str)
        and isinstance(model.get("scopes"), list)
    )


def _header_cache_key(request: HTTPServerRequest) -> tuple[str | None, ...]:
    """Every header that the decision depends on; without cookies it is one.

    Changes are decided anew each time: their XSRF token may be in the body.
    """
    get = request.headers.get
    authorization, cookie = get("Authorization"), get("Cookie")
    if cookie is None:
        return (authorization,)
    return (
        authorization,
        cookie,
        get("Sec-Fetch-Site"),
        *map(get, fetch_metadata.RELEVANT_HEADERS),
        get("X-Xsrftoken"),
        get("X-Csrftoken"),
        get("User-Agent"),
        request.remote_ip,
    )


def _is_cacheable(key: tuple[str | None, ...], handler: RequestHandler) -> bool:
    """Whether nothing but these headers made the library recognize the caller.

    A query may hold the XSRF token; of several sessions, the one that the hub knows counts.
    """
    if sum(len(value or "") for value in key) > MAX_CACHE_KEY_LENGTH:
        return False
    if handler.has_other_sessions:  # type: ignore[attr-defined]
        return False
    if handler.hub_auth.uses_header_token(handler):  # type: ignore[attr-defined]
        return True
    return not handler.request.query and "websocket" not in key
