"""Errors of the service in place of an app's response: pages and frames of browsers, and JSON."""

from __future__ import annotations

from typing import Any

from .availability import AppStarting, starting_page
from .forward.request import frame_ancestors_of
from .lingering import LingeringHandler


class ErrorPageHandler(LingeringHandler):
    """A handler whose sign-in and errors stand in for a response of an app."""

    def accepts_html(self) -> bool:
        """Whether HTML is accepted explicitly: programs and scripts of the app get JSON."""
        return "text/html" in self.request.headers.get("Accept", "")

    def may_begin_sign_in(self) -> bool:
        """Also if a service worker of the app forwards the navigation, else no page would open.

        The browser follows the redirect; the worker sees neither its URL nor what comes after
        (https://fetch.spec.whatwg.org/#concept-filtered-response-opaque-redirect).
        """
        destination = self.request.headers.get("Sec-Fetch-Dest")
        is_forwarded = self._is_any_navigation() and destination in ("document", "empty")
        return self.is_navigation() or is_forwarded

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send an error; for a navigation to an app that starts, a page that reloads."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.quiet = isinstance(error, AppStarting)  # the supervisor logs each start
        if not self.shows_user():
            self._allow_frames()
        if not isinstance(error, AppStarting) or not self._is_any_navigation():
            super().write_error(status_code, **kwargs)
            return
        self.set_error_headers(status_code, **kwargs)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(starting_page(self, error))

    def _is_any_navigation(self) -> bool:
        """Whether a browser opens this URL: in a window or a frame, also by a service worker."""
        is_read = self.request.method in ("GET", "HEAD")
        navigates = self.request.headers.get("Sec-Fetch-Mode") == "navigate"
        return self.is_navigation() or (is_read and navigates)

    def _allow_frames(self) -> None:
        """Allow the frames that may show the app: there, too, the page has to reload."""
        policy = self._headers["Content-Security-Policy"]
        others = policy.partition("frame-ancestors ")[0]
        self._headers["Content-Security-Policy"] = (
            f"{others}frame-ancestors {frame_ancestors_of(policy)}"
        )
