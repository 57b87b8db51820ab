"""Where a command listens."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest

from tests.support.web_processes import options
from tornado_service.proxy.forward.target import Target
from tornado_service.proxy.process.address import MAX_SOCKET_PATH, Address


async def test_a_socket_has_a_private_directory_of_its_own() -> None:
    first, second = (Address.make(options("{unix_socket}")) for _ in range(2))
    directory = Path(first.unix_socket).parent

    assert first.target == Target(unix_socket=first.unix_socket)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert directory != Path(second.unix_socket).parent

    (directory / "left").mkdir()
    await first.remove()
    await second.remove()
    assert not directory.exists()


async def test_the_path_of_a_socket_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    address = Address.make(options("{unix_socket}"))
    await address.remove()

    assert len(address.unix_socket) < MAX_SOCKET_PATH
    assert list(deep.iterdir()) == []


async def test_a_port_is_of_the_loopback_address() -> None:
    address = Address.make(options("{port}"))
    await address.remove()

    assert address.target == Target(host="127.0.0.1", port=address.port)
    assert str(address) == f"127.0.0.1:{address.port}"
    assert 1024 < address.port < 65536


def test_a_url_is_used_as_it_is() -> None:
    target = Target(host="::1", port=8501, path="/app")

    assert Address.make(options(url_target=target)).target == target
