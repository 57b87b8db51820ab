"""Responses of typed handlers, from the event loop and from threads."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service import APIHandler, ServiceApp, allow_unauthenticated
from tornado_service.testing import Fetch, ServiceConfig

LARGE_RESPONSE = 1024 * 1024


class Text(APIHandler):
    """Each method responds in its own way."""

    @allow_unauthenticated
    def get(self, length: int) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("x" * length)

    @allow_unauthenticated
    async def post(self, length: int) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("x" * length)

    @allow_unauthenticated
    def put(self, length: int) -> None:
        self.finish("x" * length)

    @allow_unauthenticated
    def patch(self, length: int) -> str:
        return "x" * length


class Texts(ServiceApp):
    name = "texts"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("([0-9]+)", Text)]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.apps.typed.test_dispatch:Texts"]}}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "length", [10, LARGE_RESPONSE - 2, LARGE_RESPONSE + 1, 5 * LARGE_RESPONSE + 3]
)
async def test_a_response_of_any_length_arrives(fetch: Fetch, method: str, length: int) -> None:
    body = None if method == "GET" else ""
    response = await fetch(f"texts/{length}", method=method, body=body, decompress_response=False)

    assert response.code == 200
    assert response.body.strip(b'"') == b"x" * length
    assert int(response.headers["Content-Length"]) == len(response.body)
