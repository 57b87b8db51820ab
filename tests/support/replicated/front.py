"""Reverse proxies of others in front of a hub, configured as the documentation says."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from tests.support.certificates import make_server_context
from tests.support.prepare import find_traefik
from tests.support.replicated.deployment import wait_until
from tests.support.replicated.nginx import Nginx, documented
from tornado_service.demo.processes import free_ports

HOST = "hub.example.org"

#: Its own static configuration; it looks for no new version of itself.
TRAEFIK = (
    "--global.checkNewVersion=false",
    "--global.sendAnonymousUsage=false",
    "--log.level=WARN",
)


def replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the example has {old!r} {text.count(old)} times"
    return text.replace(old, new)


@contextmanager
def nginx_front(directory: Path, hub_port: int, *without: str) -> Iterator[int]:
    """Nginx in front of a hub's proxy.

    Args:
        directory: for its files.
        hub_port: of the hub's proxy.
        without: directives of the example to leave out.

    Yields:
        Its port, for https.
    """
    (port,) = free_ports(1)
    make_server_context(directory, HOST)
    text = replace_once(documented("nginx hub"), "listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    text = replace_once(text, "http://127.0.0.1:8000", f"http://127.0.0.1:{hub_port}")
    text = text.replace("/etc/ssl/hub.example.org.crt", f"{directory}/server.pem")
    text = text.replace("/etc/ssl/hub.example.org.key", f"{directory}/server.pem")
    for directive in without:
        text, count = re.subn(rf"(?m)^ *{re.escape(directive)} .*\n", "", text)
        assert count == 1, directive
    nginx = Nginx(directory, port)
    nginx.write(text)
    nginx.start()
    try:
        yield port
    finally:
        nginx.stop()


def status(port: int, *, tls: bool) -> int:
    """The status of the service's page at a proxy; 0: there is no response."""
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: HTTPConnection = HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    else:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
    with closing(connection):
        try:
            connection.request("GET", "/services/tornado-service/health", headers={"Host": HOST})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0


@contextmanager
def traefik(
    directory: Path, mark: str, addresses: dict[str, str], *arguments: str
) -> Iterator[int]:
    """Traefik with an example of the documentation.

    Args:
        directory: for its files.
        mark: of the example.
        addresses: what to write in place of the addresses in the example.
        arguments: its static configuration; ``{port}`` is its port.

    Yields:
        Its port.
    """
    (port,) = free_ports(1)
    text = documented(mark)
    for old, new in addresses.items():
        text = replace_once(text, old, new)
    (directory / "dynamic.yml").write_text(text)
    with (directory / "traefik.log").open("wb") as log:
        process = subprocess.Popen(
            [
                find_traefik(),
                *TRAEFIK,
                "--providers.file.filename=dynamic.yml",
                *(argument.format(port=port) for argument in arguments),
            ],
            cwd=directory,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        # it listens before it has read the example
        wait_until(lambda: status(port, tls="tls:" in text) not in (0, 404))
        yield port
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def traefik_front(directory: Path, hub_port: int) -> Iterator[int]:
    """Traefik in front of a hub's proxy; yields its port, for https."""
    addresses = {"http://127.0.0.1:8000": f"http://127.0.0.1:{hub_port}"}
    static = "--entryPoints.websecure.address=127.0.0.1:{port}"
    with traefik(directory, "traefik hub", addresses, static) as port:
        yield port
