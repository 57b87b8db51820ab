"""The document of a service's API, and its routes."""

from __future__ import annotations

from typing import Any

from tornado_service.app import TornadoService
from tornado_service.web.application import make_routes
from tornado_service.web.docs import APIDocument


def routes_of(service: TornadoService) -> list[Any]:
    return make_routes(service, service.context, service.app_manager, service.selfcheck)


def document_of(service: TornadoService) -> APIDocument:
    """The document that the service returns."""
    rules = service.web_app.wildcard_router.rules
    return next(
        rule.target_kwargs["document"] for rule in rules if "document" in rule.target_kwargs
    )


def operation_ids(document: dict[str, Any]) -> dict[str, str]:
    """The names of operations, by path, and by method if that is not GET."""
    return {
        path if method == "get" else f"{method} {path}": operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
