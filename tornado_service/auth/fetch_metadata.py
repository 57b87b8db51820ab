"""Fetch metadata headers, which no script can set: https://www.w3.org/TR/fetch-metadata/."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

#: Subresources that a page displays or runs; its scripts cannot read them.
SUBRESOURCES = frozenset(
    {"audio", "font", "image", "manifest", "script", "style", "track", "video"}
)

#: Destinations of navigations inside a page.
FRAMES = frozenset({"embed", "frame", "iframe", "object"})

#: Types of documents and data.
_DOCUMENT_TYPES = frozenset(
    {
        "application/json",
        "application/xml",
        "text/csv",
        "text/event-stream",
        "text/html",
        "text/plain",
        "text/xml",
    }
)

#: Types of images and manifests whose names end like those of documents and data.
_SUBRESOURCE_TYPES = frozenset({"application/manifest+json", "image/svg+xml"})

#: All headers that the functions below read.
RELEVANT_HEADERS = ("Sec-Fetch-Mode", "Sec-Fetch-Dest", "Service-Worker-Navigation-Preload")


def is_page_navigation(headers: HTTPHeaders, *, may_be_framed: bool) -> bool:
    """Whether a browser navigates to a page for display, by its request headers.

    Service workers are excluded: navigations that they forward have the destination
    ``empty``, and their preload requests have an own header
    (https://www.w3.org/TR/service-workers/#navigation-preload-manager).

    Args:
        headers: those of the request.
        may_be_framed: whether the administrator allows frames. A navigation of a frame cannot carry
            the XSRF token, and a link inside a frame looks the same as a frame in a foreign page;
            the browser enforces ``frame-ancestors`` and so hides the response from other pages.
    """
    mode, destination, preload = map(headers.get, RELEVANT_HEADERS)
    if mode != "navigate" or preload is not None:
        return False
    return destination == "document" or (may_be_framed and destination in FRAMES)


def is_readable_by_scripts(headers: HTTPHeaders, *, may_be_framed: bool) -> bool:
    """Whether any script of the same origin may read the response to a GET.

    Other users' servers may share our origin. JupyterHub's library lets all navigations and
    all requests in the mode ``no-cors`` read; browsers send more precise headers
    (https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header).
    """
    mode = headers.get("Sec-Fetch-Mode")
    if mode == "navigate":
        return not is_page_navigation(headers, may_be_framed=may_be_framed)
    return mode == "no-cors" and headers.get("Sec-Fetch-Dest") not in SUBRESOURCES


def must_block_response(headers: HTTPHeaders, content_type: str) -> bool:
    """Whether a document or data was requested as an image or a script.

    No page needs this, but a service worker can read such a response if its own request and the
    browser's share one response (https://github.com/WICG/service-worker-static-routing-api). The
    types are those that browsers block for pages of other origins, and CSV
    (https://chromium.googlesource.com/chromium/src/+/main/services/network/cross_origin_read_blocking_explainer.md).

    Args:
        headers: those of the request.
        content_type: that of the response.
    """
    if headers.get("Sec-Fetch-Mode") != "no-cors":
        return False
    if headers.get("Sec-Fetch-Dest") not in SUBRESOURCES:
        return False
    kind = content_type.partition(";")[0].strip().lower()
    return (
        not kind
        or kind in _DOCUMENT_TYPES
        or (kind.endswith(("+json", "+xml")) and kind not in _SUBRESOURCE_TYPES)
    )
