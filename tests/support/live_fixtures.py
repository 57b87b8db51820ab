"""Fixtures of tests with `tests.support.live_app`; conftest files import them."""

from __future__ import annotations

import pytest

from tests.support.live_app import Live
from tests.support.streaming import APP
from tornado_service.app import TornadoService
from tornado_service.streaming import registry as streams
from tornado_service.testing import ServiceConfig, StandInHub


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": APP}


@pytest.fixture
def app(service: TornadoService) -> Live:
    (app,) = (mount.app for mount in service.app_manager)
    assert isinstance(app, Live)
    return app


@pytest.fixture
def token(hub: StandInHub) -> str:
    return hub.token_for("alice")


@pytest.fixture
def soon(service: TornadoService, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is called repeatedly, without pauses of a minute."""
    monkeypatch.setattr(streams, "MIN_RECHECK_INTERVAL", 0.05)
    service.auth.cache_max_age = service.auth.identities._max_age = 0
