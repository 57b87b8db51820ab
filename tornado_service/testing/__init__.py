"""What the author of an app tests it with: a stand-in for the hub, the service, a real hub.

In the ``conftest.py`` at the top of the tests::

    pytest_plugins = ["tornado_service.testing"]

It needs ``tornado-service[test]``, and for a browser ``tornado-service[test-browser]``. Tests use
these fixtures by their names, in either mode of pytest-asyncio:

- ``service_config``: the settings of the service; a test module has one of its own, with its apps;
- ``hub``: the stand-in, with its users, tokens and faults;
- ``service``, ``start_service``: the service in this process, all of its apps ready;
  ``service.get_app(name)`` is an app, whose methods a test may call, periodic ones too;
- ``fetch``: a program, with a token or without; it reads event streams, too;
- ``visitor``, ``new_visitor``: people's browsers as far as HTTP goes;
- ``client``: Tornado's HTTP client;
- ``real_hub``, ``start_hub``: a JupyterHub with its proxy, which launched the service;
  ``browse``: a browser before it, as far as HTTP goes;
- ``signed_in_page``, ``open_page``: pages of Playwright before the real hub;
  ``complaints``: what the console of the browser said.

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

#: What pytest loads besides.
pytest_plugins = ["tornado_service.testing.fixtures", "tornado_service.testing.playwright"]
