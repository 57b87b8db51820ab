"""Caches the valid credentials of a request, keyed by everything that the decision depends on.

Why: verifying the signatures of cookies and the XSRF token takes about half of the time of a
request with a session.

It replaces ``HubAuth.get_user`` of JupyterHub's library, as extended by ``ServiceAuth``:
``HubAuth._get_user``, ``HubAuth.get_token``, ``HubOAuth._get_token_cookie``,
``HubOAuth._get_user_cookie``, ``HubOAuth._get_xsrf_token_id`` and ``HubOAuth.check_xsrf_cookie``.
It makes no decision of its own, but repeats the library's decision for an equal request.
``IdentityCache`` decides whether these credentials are still valid; sign-outs and refusals of the
hub change it at once. ``tests/auth/test_request_cache.py`` compares both for arbitrary requests.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from jupyterhub import _xsrf_utils
from tornado.web import RequestHandler

from .identity_cache import IdentityKey, LRUCache

#: Safe methods, https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})

#: Decisions with a longer key are not cached. In characters.
MAX_KEY_LENGTH = 4096


class RequestKey(NamedTuple):
    """The inputs of the library's decision about a request; without a cookie there are few.

    Attributes:
        handler: the class, which may have a ``check_xsrf_cookie`` of its own.
        anonymous_id: headers that replace the session in an XSRF token when there is none.
    """

    handler: type[RequestHandler]
    authorization: str | None
    cookie: str | None = None
    fetch_site: str | None = None
    fetch_mode: str | None = None
    fetch_dest: str | None = None
    navigation_preload: str | None = None
    xsrf_header: str | None = None
    csrf_header: str | None = None
    remote_ip: str | None = None
    anonymous_id: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, handler: RequestHandler) -> RequestKey | None:
        """The key of a request; ``None`` if its decision must not be cached.

        The hub confirms requests that change something each time. An XSRF token in the query or in
        the body is compared each time.
        """
        request = handler.request
        if request.method not in READ_ONLY or "_xsrf" in request.arguments:
            return None
        headers = request.headers

        def get(name: str) -> str | None:
            # HTTPHeaders.get raises and catches a KeyError for each header that is missing
            return headers[name] if name in headers else None  # noqa: SIM401

        authorization, cookie = get("Authorization"), get("Cookie")
        if cookie is None:
            return cls(type(handler), authorization)
        return cls(
            handler=type(handler),
            authorization=authorization,
            cookie=cookie,
            fetch_site=get("Sec-Fetch-Site"),
            fetch_mode=get("Sec-Fetch-Mode"),
            fetch_dest=get("Sec-Fetch-Dest"),
            navigation_preload=get("Service-Worker-Navigation-Preload"),
            xsrf_header=get("X-Xsrftoken"),
            csrf_header=get("X-Csrftoken"),
            remote_ip=request.remote_ip,
            anonymous_id=tuple(map(get, _xsrf_utils._anonymous_id_headers)),
        )


class Credentials(NamedTuple):
    """The credentials that the library found in a request.

    Attributes:
        identity_key: identifies the token and the session.
        is_by_header: whether the token came in a header and not in a cookie.
        decided_at: on the monotonic clock.
    """

    identity_key: IdentityKey
    is_by_header: bool
    decided_at: float


class RequestCache:
    """Credentials by request, with limited size and age.

    Args:
        size: maximum number of entries.
        max_age: seconds for which a decision is valid.
    """

    def __init__(self, size: int, max_age: float) -> None:
        self._entries: LRUCache[RequestKey, Credentials] = LRUCache(size)
        self._max_age = max_age

    def get(self, key: RequestKey) -> Credentials | None:
        """The cached decision for an equal request."""
        entry = self._entries.get(key)
        if entry is None or time.monotonic() - entry.decided_at >= self._max_age:
            return None
        return entry

    def put(self, key: RequestKey, identity_key: IdentityKey, *, is_by_header: bool) -> None:
        if sum(len(str(value)) for value in key) <= MAX_KEY_LENGTH:
            self._entries.put(key, Credentials(identity_key, is_by_header, time.monotonic()))


def is_by_header(handler: RequestHandler) -> bool:
    """Whether a token in a header, and not the cookie, authenticated a request.

    The library sets the attribute in ``HubAuth._get_user`` and reads it in
    ``HubOAuth.check_xsrf_cookie``, which requires no XSRF token then.
    """
    return getattr(handler, "_token_authenticated", False)


def mark_by_header(handler: RequestHandler, credentials: Credentials) -> None:
    """Set the library's attribute that ``is_by_header`` reads."""
    handler._token_authenticated = credentials.is_by_header  # type: ignore[attr-defined]
