"""Keeps pages from loading our documents as images, scripts or style sheets."""

from __future__ import annotations

from typing import Any, ClassVar

from jupyterhub.services.auth import HubOAuthenticated
from tornado.web import HTTPError, RequestHandler

from ..auth.cookie_reader import has_xsrf_token
from ..auth.fetch_metadata import must_block_response


class ResourceIsolationMixin(HubOAuthenticated, RequestHandler):
    """Responds to such requests without a body, if they are authenticated by cookie only."""

    checks_origin: ClassVar[bool]

    def is_body_withheld(self) -> bool:
        """Whether the body of this response is withheld."""
        headers = self.request.headers
        if self.checks_origin:  # other origins have got no response
            return False
        if "Cookie" not in headers or not must_block_response(
            headers, self._headers.get("Content-Type", "")
        ):
            return False
        if self.hub_auth.uses_header_token(self):
            return False
        try:
            return not has_xsrf_token(self)
        except HTTPError:  # the query is not UTF-8
            return True

    def flush(self, include_footers: bool = False) -> Any:
        """Send buffered data, headers first; see `RequestHandler.flush`."""
        if self.is_body_withheld():
            self._write_buffer = []
            if not self._headers_written and "Content-Length" in self._headers:
                self._headers["Content-Length"] = "0"
        return super().flush(include_footers)
