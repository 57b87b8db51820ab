"""Settings of the service that follow from the hub's environment."""

import pytest

from tornado_service.app import TornadoService


@pytest.mark.parametrize(
    ("url", "ip", "port"),
    [
        ("http://127.0.0.1:8181", "127.0.0.1", 8181),
        ("http://localhost:8181", "localhost", 8181),
        ("http://[::1]:8181", "::1", 8181),
        ("http://127.1.2.3:8181", "127.1.2.3", 8181),
        ("http://hub:8181", "", 8181),
        ("http://10.0.0.7:8181", "", 8181),
        ("http://localhost.example.org:8181", "", 8181),
        ("http://127.example.org:8181", "", 8181),
        ("http://hub", "", 80),
        ("https://hub", "", 443),
    ],
)
def test_only_the_port_comes_from_the_url(url: str, ip: str, port: int) -> None:
    app = TornadoService(service_url=url)

    assert (app.ip, app.port) == (ip, port)
