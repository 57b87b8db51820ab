"""The API's description: for programs, and as a page to try it in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..apps.typed.responses import answers
from ..auth.decorators import allow_unauthenticated
from ..handlers.base import APIHandler, PageHandler
from ..handlers.static import static_files

if TYPE_CHECKING:
    from ..apps.manager import Mounts
    from ..apps.mounted import Mount
    from ..handlers.context import ServiceContext

#: What the page needs, beside what is ours; hatch_build.py gets it.
SWAGGER = "swagger/swagger-ui-bundle.js"


class APIDocument:
    """The document of a service, made anew when other apps are ready.

    Args:
        context: of the service.
        apps: those whose API is in it, once they are ready.
        routes: the core's.
    """

    def __init__(self, context: ServiceContext, apps: Mounts, routes: list[Any]) -> None:
        self._context = context
        self._apps_of_service = apps
        self._routes = routes
        self._apps: list[str] | None = None
        self._making: asyncio.Task[bytes] | None = None
        self._told: set[str] = set()

    async def json(self) -> bytes:
        """The document."""
        mounts = [mount for mount in self._apps_of_service if mount.is_ready]
        names = [mount.name for mount in mounts]
        making = self._making
        if making is None or self._apps != names or (making.done() and making.exception()):
            self._apps = names
            making = asyncio.create_task(asyncio.to_thread(self._make, mounts))
            self._making = making
        return await asyncio.shield(making)

    def _make(self, mounts: list[Mount]) -> bytes:
        from ..openapi.document import Document

        return Document(self._context, self._routes, self._tell).json(mounts)

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._context.log.warning("Not in api/openapi.json: %s", what)


class OpenAPIHandler(APIHandler):
    """GET api/openapi.json: the document."""

    def initialize(self, document: APIDocument) -> None:  # type: ignore[override]
        super().initialize()
        self._document = document

    @answers(dict[str, Any])
    @allow_unauthenticated
    async def get(self) -> None:
        """Describe the API of the service and of its apps, by OpenAPI 3.1."""
        document = await self._document.json()
        self.set_header("Cache-Control", "public, max-age=60")
        self.write_json_bytes(document)


class DocsHandler(PageHandler):
    """GET docs: the API, to read and to try."""

    def initialize(self, package: str) -> None:  # type: ignore[override]
        super().initialize()
        self._package = package

    def get(self) -> None:
        """Show it, if what shows it is there: the single file leaves it out."""
        self.write_page("docs.html", can_show=SWAGGER in static_files(self._package))
