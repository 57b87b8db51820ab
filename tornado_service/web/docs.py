"""The API's documentation: as OpenAPI, and as a page to try it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..apps.typed.responses import responds_with
from ..auth.decorators import allow_unauthenticated
from ..handlers.base import APIHandler, PageHandler
from ..handlers.static import static_files

if TYPE_CHECKING:
    from ..apps.manager import AppManager
    from ..apps.mounted import MountedApp
    from ..handlers.context import ServiceContext

#: Files of the page that are not ours; hatch_build.py copies them.
SWAGGER_BUNDLE = "swagger/swagger-ui-bundle.js"


class APIDocument:
    """The document of a service, generated again when other apps are ready.

    Args:
        context: of the service.
        apps: the apps, whose API is included once they are ready.
        routes: the core's.
    """

    def __init__(self, context: ServiceContext, apps: AppManager, routes: list[Any]) -> None:
        self._context = context
        self._apps_of_service = apps
        self._routes = routes
        self._apps: list[str] | None = None
        self._build_task: asyncio.Task[bytes] | None = None
        self._reported: set[str] = set()

    async def json(self) -> bytes:
        ready = [mounted for mounted in self._apps_of_service if mounted.is_ready]
        names = [mounted.name for mounted in ready]
        build_task = self._build_task
        if (
            build_task is None
            or self._apps != names
            or (build_task.done() and build_task.exception())
        ):
            self._apps = names
            build_task = asyncio.create_task(asyncio.to_thread(self._build, ready))
            self._build_task = build_task
        return await asyncio.shield(build_task)

    def _build(self, ready: list[MountedApp]) -> bytes:
        from ..openapi.document import make_document

        return make_document(self._context, self._routes, ready, self._report)

    def _report(self, message: str) -> None:
        if message not in self._reported:
            self._reported.add(message)
            self._context.log.warning("Not in api/openapi.json: %s", message)


class OpenAPIHandler(APIHandler):
    """GET api/openapi.json: the document."""

    metrics_name = "OpenAPIHandler"
    operation_ids = {"get": "get_openapi_document"}

    def initialize(self, document: APIDocument) -> None:  # type: ignore[override]
        super().initialize()
        self._document = document

    @responds_with(dict[str, Any])
    @allow_unauthenticated
    async def get(self) -> None:
        """The OpenAPI 3.1 document of the service and its apps."""
        document = await self._document.json()
        self.set_header("Cache-Control", "public, max-age=60")
        self.write_json_bytes(document)


class DocsHandler(PageHandler):
    """GET docs: the API, to read and to try."""

    metrics_name = "DocsHandler"

    def initialize(self, package: str) -> None:  # type: ignore[override]
        super().initialize()
        self._package = package

    def get(self) -> None:
        """Show the page, if its files are installed: the single file omits them."""
        self.write_page("docs.html", can_show=SWAGGER_BUNDLE in static_files(self._package))
