"""The API's description: for programs, and as a page to try it in."""

from __future__ import annotations

from typing import Any

from ..auth import allow_unauthenticated
from .base import APIHandler, PageHandler
from .ops import static_files
from .signature import answers

#: What the page needs, beside what is ours; hatch_build.py gets it.
SWAGGER = "swagger/swagger-ui-bundle.js"


class OpenAPIHandler(APIHandler):
    """GET api/openapi.json: the document."""

    @answers(dict[str, Any])
    @allow_unauthenticated
    async def get(self) -> None:
        """Describe the API of the service and of its apps, by OpenAPI 3.1."""
        document = await self.settings["api_document"].json()
        self.set_header("Cache-Control", "public, max-age=60")
        self.write_json_bytes(document)


class DocsHandler(PageHandler):
    """GET docs: the API, to read and to try."""

    def initialize(self, package: str) -> None:  # type: ignore[override]
        """Take the package whose static files are the page's."""
        super().initialize()
        self._package = package

    def get(self) -> None:
        """Show it, if what shows it is there: the single file leaves it out."""
        self.write_page("docs.html", can_show=SWAGGER in static_files(self._package))
