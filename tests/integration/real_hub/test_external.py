"""A service that the hub does not launch, with a name, an API URL and a token."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documentation import marked_block
from tests.support.launched import Launch, until_logged
from tornado_service.testing.real_hub import RealHub

NEW_TOKEN = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def hub() -> Iterator[RealHub]:
    """A hub below a base URL that knows the service, but has no command for it; not started."""
    hub = RealHub(base_url="/hubs/a", service_options={"command": []})
    yield hub
    hub.stop()
    print(hub.log)  # pytest shows it with a failure


@pytest.fixture
def process(hub: RealHub, external: Launch, tmp_path: Path) -> subprocess.Popen[str]:
    """The service, whose token is in a file; it has started before the hub."""
    (tmp_path / "token").write_text(hub.service["api_token"])
    (tmp_path / "settings.py").write_text(
        "from tornado_service.config import token_file\n"
        "token_file.READ_INTERVAL = 0.05\n"
        "c.TornadoService.api_token_file = 'token'\n"
        "c.HubClient.breaker_pause = 0.1\n"
    )
    return external(
        "--config=settings.py",
        f"--port={hub.service_port}",
        JUPYTERHUB_SERVICE_NAME=hub.service_name,
        JUPYTERHUB_API_URL=hub.api_url,
        JUPYTERHUB_API_TOKEN=None,
    )


async def test_it_waits_for_its_hub_and_for_a_new_token(
    hub: RealHub, process: subprocess.Popen[str], browse, tmp_path: Path
) -> None:
    await until_logged(process, "Listening", "Self-check, hub-api: ")
    await asyncio.to_thread(hub.start)
    visitor = browse(hub)

    response = await visitor.sign_in(hub.service_prefix, "sam")
    assert (response.code, visitor.address) == (200, hub.service_prefix)

    # the administrator changes the token: in the hub's configuration, and in the file
    await asyncio.to_thread(hub.stop)
    hub.service["api_token"] = NEW_TOKEN
    (tmp_path / "token").write_text(NEW_TOKEN)
    await until_logged(process, "Using the new API token")
    await asyncio.to_thread(hub.start)
    newcomer = browse(hub)

    response = await newcomer.sign_in(hub.service_prefix, "kim")
    assert (response.code, newcomer.address) == (200, hub.service_prefix)
    assert process.poll() is None


async def test_with_a_subdomain_for_each_service(hub: RealHub, external: Launch, browse) -> None:
    """The hub compares the callback with its own, which has the subdomain."""
    origin = f"http://hub.example.org:{hub.port}"
    block = marked_block("how-to/external.md", "subdomains")
    block = block.replace("https://", "http://").replace("example.org", f"example.org:{hub.port}")
    block = block.replace("/services/", "/hubs/a/services/")
    variables = dict(re.findall(r"^\$ export (\w+)=(\S+)$", block, re.MULTILINE))
    hub.extra_config += f"c.JupyterHub.subdomain_host = {origin!r}\n"
    process = external(
        f"--port={hub.service_port}",
        JUPYTERHUB_SERVICE_NAME=hub.service_name,
        JUPYTERHUB_API_URL=hub.api_url,
        JUPYTERHUB_API_TOKEN=hub.service["api_token"],
        **variables,
    )
    await until_logged(process, "Listening")
    await asyncio.to_thread(hub.start)
    visitor = browse(hub, host=f"tornado-service--service.hub.example.org:{hub.port}")

    response = await visitor.sign_in(hub.service_prefix, "sam")

    assert response.code == 200
    assert visitor.address.startswith(
        f"http://tornado-service--service.hub.example.org:{hub.port}/"
    )
