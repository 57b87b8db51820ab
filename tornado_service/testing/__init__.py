"""Test fixtures for authors of apps: a fake hub, the service, a real hub.

In the ``conftest.py`` at the top of the tests::

    pytest_plugins = ["tornado_service.testing"]

It needs ``tornado-service[test]``, and for a browser ``tornado-service[test-browser]``. Tests use
these fixtures by name, in either mode of pytest-asyncio:

- ``service_config``: the settings of the service; each test module defines its own, with its apps;
- ``hub``: the fake hub, with its users, tokens and faults;
- ``service``, ``start_service``: the service in this process, with all of its apps ready;
  ``service.get_app(name)`` is an app, whose methods a test may call, also periodic ones;
- ``fetch``: an API client, with a token or without; it also reads event streams;
- ``visitor``, ``new_visitor``: users' browsers, limited to HTTP;
- ``client``: Tornado's HTTP client;
- ``real_hub``, ``start_hub``: a JupyterHub with its proxy, which launched the service;
  ``browse``: a browser for it, limited to HTTP;
- ``signed_in_page``, ``open_page``: Playwright pages of the real hub;
  ``complaints``: messages in the browser's console.

::

    @pytest.fixture
    def service_config():
        return {"TornadoService": {"apps": ["reports:Reports"]}, "Reports": {"limit": 5}}

    async def test_only_writers_report(fetch, hub):
        token = hub.token_for("ada", scopes=("custom:reports:write",))
        report = {"method": "POST", "json": {"title": "x"}}
        assert (await fetch("reports/api/reports", token=token, **report)).code == 201

PYTEST_DONT_REWRITE: a ``conftest.py`` may import from here before it names the plugin.
"""

from ..apps.isolation.containment import AppError
from .api_client import Fetch, Response
from .fake_hub import FAULTS, SERVICE_TOKEN, StandInHub
from .http_browser import BROWSER, SCRIPT, Browse, NewVisitor, Visitor
from .real_hub import RealHub, StartHub
from .service import PREFIX, ServiceConfig, StartService, make_config
from .sse_client import Event, EventReader

__all__ = [
    "BROWSER",
    "FAULTS",
    "PREFIX",
    "SCRIPT",
    "SERVICE_TOKEN",
    "AppError",
    "Browse",
    "Event",
    "EventReader",
    "Fetch",
    "NewVisitor",
    "RealHub",
    "Response",
    "ServiceConfig",
    "StandInHub",
    "StartHub",
    "StartService",
    "Visitor",
    "make_config",
]

#: Plugins that pytest loads with this one.
pytest_plugins = ["tornado_service.testing.fixtures", "tornado_service.testing.playwright"]
