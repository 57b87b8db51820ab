"""Where an app listens, and how it sees itself."""

from __future__ import annotations

import pytest

from tests.support.proxy import Upstream
from tornado_service.proxy.forward.target import Target


async def test_it_connects(upstream: Upstream) -> None:
    reader, writer = await upstream.target.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("target", [Target(unix_socket="/nowhere"), Target(port=1)], ids=str)
async def test_nobody_listens(target: Target) -> None:
    with pytest.raises(OSError, match=r"Errno|refused"):
        await target.connect()


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        (Target(host="wiki", port=8080), "wiki:8080"),
        (Target(host="wiki", port=80), "wiki"),
        (Target(host="wiki", port=443), "wiki:443"),
        (Target(host="wiki", port=443, tls=True), "wiki"),
        (Target(host="::1", port=8080), "[::1]:8080"),
    ],
)
def test_host_and_port_as_in_a_url(target: Target, authority: str) -> None:
    assert target.authority == authority
    assert target.is_own_authority(authority)


@pytest.mark.parametrize(
    ("target", "authority", "is_own"),
    [
        (Target(port=8501), "localhost:8501", True),
        (Target(port=8501), "[::1]:8501", True),
        (Target(port=8501), "0.0.0.0:8501", True),
        (Target(port=8501), "localhost:8502", False),
        (Target(port=8501), "localhost", False),
        (Target(port=8501), "wiki:8501", False),
        (Target(host="Wiki", port=80), "WIKI:80", True),
        (Target(host="wiki", port=80), "wiki", True),
        (Target(host="wiki", port=443, tls=True), "wiki:443", True),
        (Target(host="::1", port=80), "[::1]", True),
        (Target(host="wiki", port=80), "", False),
        (Target(unix_socket="/s"), "127.0.0.1:0", False),
    ],
)
def test_its_own_urls(target: Target, authority: str, is_own: bool) -> None:
    assert target.is_own_authority(authority) is is_own
