"""Sign-in with other configurations of the hub."""

import json
import socket

import pytest

from tests.support import ROOT
from tests.support.documentation import marked_block
from tornado_service.demo.processes import free_ports

pytestmark = pytest.mark.library


async def test_with_the_lines_of_the_readme(start_hub, browse) -> None:
    readme = (ROOT / "README.md").read_text()
    lines = readme.partition("```python\n")[2].partition("```")[0]
    (port,) = free_ports(1)
    assert "127.0.0.1:8181" in lines

    hub = start_hub(
        with_service=False,
        extra_config="import sys\n" + lines.replace("127.0.0.1:8181", f"127.0.0.1:{port}"),
    )
    visitor = browse(hub)
    response = await visitor.sign_in("/services/tornado-service/", "sam")

    while response.code == 503:  # for the moment in which Activity loads its history
        assert "Retry-After" in response.headers, response.body
        response = await visitor.open("/services/tornado-service/")
    assert response.code == 200
    assert "<h1" in visitor.page


async def test_below_a_base_url(start_hub, browse) -> None:
    hub = start_hub(base_url="/base/")
    visitor = browse(hub)

    response = await visitor.sign_in("/base/services/tornado-service/", "sam")

    assert response.code == 200
    assert 'href="/base/hub/home"' in visitor.page
    assert (await visitor.fetch(hub.service_prefix + "api/user", xsrf=True)).code == 200


async def test_under_another_name(start_hub, browse) -> None:
    hub = start_hub(service_name="usage-reports")
    visitor = browse(hub)

    response = await visitor.sign_in("/services/usage-reports/", "sam")

    assert response.code == 200
    assert "<h1>usage-reports</h1>" in visitor.page


async def test_with_a_subdomain_for_each_service(start_hub, browse, client) -> None:
    hub = start_hub(
        extra_config="""
port = c.JupyterHub.bind_url.split(":")[2].split("/")[0]
c.JupyterHub.subdomain_host = "http://hub.test:" + port
"""
    )
    visitor = browse(hub, host=f"tornado-service--service.hub.test:{hub.port}")

    response = await visitor.sign_in(hub.service_prefix, "sam")

    assert response.code == 200
    assert visitor.address.startswith(f"http://tornado-service--service.hub.test:{hub.port}/")
    assert f'href="http://hub.test:{hub.port}/hub/home"' in visitor.page
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'self' http://hub.test:{hub.port}" in policy


async def test_with_a_public_url(start_hub, browse) -> None:
    hub = start_hub(extra_config='c.JupyterHub.public_url = "https://jupyter.example.org/"')
    visitor = browse(hub)

    response = await visitor.get(hub.service_prefix)

    assert response.code == 302
    assert response.headers["Location"].startswith("https://jupyter.example.org/hub/api/oauth2/")
    assert "Secure" in response.headers["Set-Cookie"]


async def test_with_internal_ssl(start_hub, browse, client) -> None:
    hub = start_hub(
        service_url=f"https://127.0.0.1:{free_ports(1)[0]}",
        extra_config=marked_block("how-to/internal-ssl.md", "internal_ssl")
        + """
c.JupyterHub.internal_ssl = True
api = c.ConfigurableHTTPProxy.api_url
c.ConfigurableHTTPProxy.api_url = api.replace("http:", "https:")
""",
    )
    visitor = browse(hub)

    response = await visitor.sign_in(hub.service_prefix, "sam")

    assert response.code == 200
    with pytest.raises(OSError):  # noqa: PT011 - a TLS server closes on plain HTTP
        await client.fetch(f"http://127.0.0.1:{hub.service_port}/health")
    token = hub.token_for("sam")
    response = await client.fetch(
        hub.service_public_url + "api/user", headers={"Authorization": f"token {token}"}
    )
    assert json.loads(response.body)["name"] == "sam"


async def test_reached_by_a_name_that_is_not_ours(start_hub, browse, client) -> None:
    """As in Kubernetes, where the URL has the name of the hub's Service; here, the machine's."""
    hub = start_hub(service_url=f"http://{socket.gethostname()}:{free_ports(1)[0]}")

    response = await browse(hub).sign_in(hub.service_prefix, "sam")

    assert response.code == 200
    assert "Listening on all interfaces" in hub.log
