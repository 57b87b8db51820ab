"""The XSRF token that every page of ours carries, as it comes back with a request."""

from __future__ import annotations

import hmac

from jupyterhub.services.auth import HubOAuthenticated


def has_token(handler: HubOAuthenticated) -> bool:
    """Whether a request that reads has brought the token: by its query or a header.

    Raises:
        HTTPError: 400, the query is not UTF-8.
    """
    get = handler.request.headers.get
    token = handler.get_query_argument("_xsrf", "") or get("X-Xsrftoken") or get("X-Csrftoken", "")
    # without one, the right one is not asked for: the library would make it, and set a cookie
    return bool(token) and hmac.compare_digest(token.encode(), handler.xsrf_token)
