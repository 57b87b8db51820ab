"""Sign-in: JupyterHub's own mixins, asynchronous, closed by default."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError
from traitlets import default

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from .hub import HubClient

Method = TypeVar("Method", bound=Callable[..., Any])


def allow_unauthenticated(method: Method) -> Method:
    """Open a handler's method to everybody. Without this mark it is closed."""
    method._allow_unauthenticated = True  # type: ignore[attr-defined]
    return method


def needs_scopes(*scopes: str) -> Callable[[Method], Method]:
    """Ask for scopes of the caller's token beyond access to the service.

    All of them are needed, and unfiltered: ``list:users!group=a`` is not ``list:users``.

    Args:
        scopes: names of scopes, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
    """

    def mark(method: Method) -> Method:
        method._needs_scopes = frozenset(scopes)  # type: ignore[attr-defined]
        return method

    return mark


def is_open(method: Callable[..., Any]) -> bool:
    """Whether ``allow_unauthenticated`` marks the method."""
    return getattr(method, "_allow_unauthenticated", False)


def scopes_needed(method: Callable[..., Any]) -> frozenset[str]:
    """The scopes that ``needs_scopes`` put on the method."""
    return getattr(method, "_needs_scopes", frozenset())


def derived_cookie_secret(api_token: str) -> bytes:
    """A cookie secret that lasts as long as the service's token does.

    In z2jh the chart keeps the token, so people stay signed in over restarts, and nothing is
    written to disk. HKDF: https://www.rfc-editor.org/rfc/rfc5869

    Args:
        api_token: the service's own API token.
    """
    hkdf = HKDF(hashes.SHA256(), length=32, salt=None, info=b"tornado_service cookie secret")
    return hkdf.derive(api_token.encode())


class ServiceAuth(HubOAuth):
    """The hub's OAuth for this service: never blocking, and failing as a 503."""

    hub: HubClient

    def __init__(self, hub: HubClient | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if hub is not None:
            self.hub = hub

    @default("cache_max_age")
    def _minute(self) -> int:
        # the library's 300 s are five minutes for a revoked token
        return 60

    def missing_scopes(self, required: frozenset[str], user: dict[str, Any]) -> set[str]:
        """Which of the scopes the user's token lacks."""
        return {scope for scope in required if not self.check_scopes({scope}, user)}

    @property
    def access_scope(self) -> str:
        """The scope to grant for access to this service, the narrowest that does."""
        return max(self.access_scopes, key=len, default="access:services")

    def forget(self, handler: RequestHandler) -> None:
        """Drop the caller's cached identity and cookie: they are signed out here at once."""
        token = self._get_token_cookie(handler)
        if token:
            digest = hashlib.sha256(token.encode("utf8", "replace")).hexdigest()
            self.cache.pop(f"token:{self.get_session_id(handler)}:{digest}", None)
        self.clear_cookie(handler)

    async def _api_request(self, method: str, url: str, /, **kwargs: Any) -> Any:
        """Ask the hub, for the library's sign-in code.

        Its own version answers 500 when the hub is away, waits for it up to five minutes (6.x)
        and reads an answer of any size. 5.x passes ``body``, 6.x ``data``.
        """
        allow_403 = kwargs.pop("allow_403", False)
        headers = {"Authorization": f"token {self.api_token}", **kwargs.get("headers", {})}
        body = kwargs.get("data", kwargs.get("body"))
        answer = await self.hub.request(method, url, headers=headers, body=body)
        if answer.status < 300:
            return answer.json()
        if allow_403 and answer.status in (401, 403):
            return None
        raise self._refusal(method, url, answer.status)

    def _refusal(self, method: str, url: str, status: int) -> HTTPError:
        """What a 4xx of the hub means for the person who is signing in."""
        self.log.warning("The hub answered %d to %s %s", status, method, url)
        return HTTPError(400, "The hub did not accept this sign-in. Open the page again.")
