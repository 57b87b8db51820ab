"""The document of a service's API, and its routes."""

from __future__ import annotations

from typing import Any

from tornado_service.app import TornadoService
from tornado_service.web.application import make_routes
from tornado_service.web.docs import APIDocument


def routes_of(service: TornadoService) -> list[Any]:
    return make_routes(service, service.context, service.app_manager, service.selfcheck)


def document_of(service: TornadoService) -> APIDocument:
    """The one that the service itself answers with."""
    rules = service.web_app.wildcard_router.rules
    return next(
        rule.target_kwargs["document"] for rule in rules if "document" in rule.target_kwargs
    )
