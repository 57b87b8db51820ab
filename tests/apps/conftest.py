from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tornado_service
from tests.support import retried_apps
from tests.support.apps import BROKEN, GOOD, TEMPLATE, StartApps
from tornado_service.app import TornadoService
from tornado_service.apps import retry
from tornado_service.database import engine, sqlite_file
from tornado_service.testing import ServiceConfig, StartService


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules are imported from: good and broken apps."""
    (tmp_path / "good_apps").mkdir()
    (tmp_path / "good_apps/__init__.py").write_text(GOOD)
    (tmp_path / "good_apps/templates").mkdir()
    (tmp_path / "good_apps/templates/reports.html").write_text(TEMPLATE)
    (tmp_path / "good_apps/static/deep").mkdir(parents=True)
    (tmp_path / "good_apps/static/deep/chart.svg").write_text("<svg/>")
    (tmp_path / "broken_apps.py").write_text(BROKEN)
    (tmp_path / "raises_app.py").write_text("raise ValueError('password=1234 is wrong')")
    (tmp_path / "exits_app.py").write_text("import sys; sys.exit(1)")
    (tmp_path / "syntax_app.py").write_text("class App(\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    if "broken_apps" in sys.modules:
        sys.modules["broken_apps"].HandlersHang.ended.set()
    for name in sys.modules.keys() - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    tornado_service.handlers.static.static_files.cache_clear()


@pytest.fixture
def start_apps(start_service: StartService, modules: Path) -> StartApps:
    """Start the service with these apps, and wait until each is ready or has failed."""

    async def start(*specs: str, **settings: Any) -> TornadoService:
        ours = {"apps": list(specs), **settings.pop("TornadoService", {})}
        service = await start_service(load=False, TornadoService=ours, **settings)
        await service.app_manager.load()
        return service

    return start


@pytest.fixture
def service_config(modules: Path) -> ServiceConfig:
    apps = ["good_apps:Reports", "good_apps.Admins", "good_apps:Headless"]
    return {"TornadoService": {"apps": apps}}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the apps of `tests.support.retried_apps` again at once, with no start counted yet."""
    monkeypatch.setattr(retry, "INITIAL_DELAY", 0.02)
    monkeypatch.setattr(retry, "MAX_DELAY", 0.1)
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 0.1)
    monkeypatch.setattr(sqlite_file, "LOCK_TIMEOUT", 0.1)
    for cls in retried_apps.Counted.__subclasses__():
        cls.starts.clear()
