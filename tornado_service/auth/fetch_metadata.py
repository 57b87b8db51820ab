"""Headers by which browsers describe a request, and which no script can set: https://www.w3.org/TR/fetch-metadata/."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

#: What a page shows or runs; the page's scripts do not get it to read.
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

#: Types of images and manifests, by their names of the same family.
_SUBRESOURCE_TYPES = frozenset({"application/manifest+json", "image/svg+xml"})

#: Every header that decides below.
RELEVANT_HEADERS = ("Sec-Fetch-Mode", "Sec-Fetch-Dest", "Service-Worker-Navigation-Preload")


def is_page_navigation(headers: HTTPHeaders, *, may_be_framed: bool) -> bool:
    """Whether a browser navigates to a page for a user to see, by its headers.

    Service workers are told apart: navigations that they pass on have the destination
    ``empty``, and those of its preload a header of theirs
    (https://www.w3.org/TR/service-workers/#navigation-preload-manager).

    Args:
        headers: those of the request.
        may_be_framed: whether an admin allows frames. A frame's navigation cannot carry the XSRF
            token, and a link inside a frame looks the same as a frame in a page of somebody
            else's; which pages get to see it is kept by the browser, by ``frame-ancestors``.
    """
    mode, destination, preload = map(headers.get, RELEVANT_HEADERS)
    if mode != "navigate" or preload is not None:
        return False
    return destination == "document" or (may_be_framed and destination in FRAMES)


def is_readable_by_scripts(headers: HTTPHeaders, *, may_be_framed: bool) -> bool:
    """Whether any script of the same origin may read the response to a GET.

    Every server of every user may be on our origin. JupyterHub's library lets all navigations and
    all requests in the mode ``no-cors`` read; the browser sends more
    (https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header).
    """
    mode = headers.get("Sec-Fetch-Mode")
    if mode == "navigate":
        return not is_page_navigation(headers, may_be_framed=may_be_framed)
    return mode == "no-cors" and headers.get("Sec-Fetch-Dest") not in SUBRESOURCES


def must_block_response(headers: HTTPHeaders, content_type: str) -> bool:
    """Whether a response is a document or data, but was asked for as an image or a script.

    No page has a use for it, but a service worker gets to read it, when its own request and the
    browser's share one response (https://github.com/WICG/service-worker-static-routing-api). The
    types are those that browsers keep from pages of other origins, and CSV
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
