"""A large answer is not compressed where everybody would wait for it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from tornado_service import APIHandler, ServiceApp, allow_unauthenticated
from tornado_service.compression import LONGEST
from tornado_service.testing import Fetch, ServiceConfig


class Text(APIHandler):
    @allow_unauthenticated
    def get(self, length: int) -> None:
        self.set_header("Content-Type", "text/plain")
        self.write("x" * length)


class Texts(ServiceApp):
    name = "texts"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("([0-9]+)", Text)]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.test_compression:Texts"]}}


@pytest.mark.parametrize(
    ("length", "encoding"), [(10, None), (LONGEST, "gzip"), (LONGEST + 1, None)]
)
async def test_what_is_not_too_long_is_compressed(
    fetch: Fetch, length: int, encoding: str | None
) -> None:
    headers = {"Accept-Encoding": "gzip"}
    answer = await fetch(f"texts/{length}", headers=headers, decompress_response=False)

    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    body = gzip.decompress(answer.body) if encoding else answer.body
    assert body == b"x" * length
