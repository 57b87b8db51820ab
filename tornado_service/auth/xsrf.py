"""The XSRF token of our pages in a request."""

from __future__ import annotations

import hmac

from jupyterhub.services.auth import HubOAuthenticated


def has_token(handler: HubOAuthenticated) -> bool:
    """Whether a reading request carries the XSRF token, in its query or a header.

    Raises:
        HTTPError: 400, the query is not UTF-8.
    """
    get = handler.request.headers.get
    token = handler.get_query_argument("_xsrf", "") or get("X-Xsrftoken") or get("X-Csrftoken", "")
    # checked first: the library would create the right one, and set a cookie
    return bool(token) and hmac.compare_digest(token.encode(), handler.xsrf_token)
