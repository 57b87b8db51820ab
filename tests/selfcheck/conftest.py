import socket
from dataclasses import replace

import pytest

from tornado_service.app import TornadoService
from tornado_service.selfcheck import CheckedSetup, probe
from tornado_service.testing import PREFIX, SERVICE_TOKEN, StandInHub

SERVICE = {"kind": "service", "name": "tornado-service", "scopes": ["list:users"]}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | list[str]]:
    """The names that resolve, as by a cluster's DNS and a pod's host aliases."""
    known: dict[str, str | list[str]] = {"hub": "127.0.0.1"}
    lookup = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        if host in known:
            addresses = known[host] if isinstance(known[host], list) else [known[host]]
            return [info for address in addresses for info in lookup(address, *args, **options)]
        if host.replace(".", "").isdigit() or ":" in host or host == "localhost":
            return lookup(host, *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter timeouts."""
    monkeypatch.setattr(probe, "TIMEOUT", 0.5)


@pytest.fixture
def setup(hub: StandInHub) -> CheckedSetup:
    """A service that works with the stand-in hub, except for its own URL."""
    hub.users[SERVICE_TOKEN] = SERVICE
    return CheckedSetup(
        "tornado-service", PREFIX, "http://hub:8181", "", 8181, hub.api_url, SERVICE_TOKEN
    )


@pytest.fixture
def here(service: TornadoService) -> CheckedSetup:
    """A service that runs here, and is reachable at its URL."""
    service.service_url = f"http://hub:{service.port}"
    service.ip = ""
    setup = service.checked_setup()
    return replace(setup, instance=service.selfcheck.instance, is_external=False)


@pytest.fixture
def external(here: CheckedSetup) -> CheckedSetup:
    """The same as an external service, on a machine of its own."""
    return replace(here, is_external=True, in_pod=False)
