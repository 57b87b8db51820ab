from __future__ import annotations

import json
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tornado_service.app import TornadoService
from tornado_service.testing import ServiceConfig, StandInHub


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.support.typed_app:Typed"]}}


@pytest.fixture
def app(service: TornadoService) -> Any:
    return next(iter(service.app_manager)).app


@pytest.fixture
def token(hub: StandInHub) -> str:
    return hub.token_for("sam", ("custom:reports:write",))


def read(response: HTTPResponse) -> Any:
    return json.loads(response.body)
