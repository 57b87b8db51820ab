"""Processes and ports that are read from /proc."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tornado_service.proxy.process import processes
from tornado_service.proxy.process.environment import MARK
from tornado_service.proxy.process.processes import (
    free_port,
    is_exposed,
    listening_ports,
    marked_processes,
)

LISTEN = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1]); "


def test_a_command_s_processes_are_found_by_their_mark() -> None:
    code = LISTEN + "import sys; sys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        env={MARK: "a-mark"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        port = int(process.stdout.readline())

        found = marked_processes("a-mark")
        ports = listening_ports(found)
        process.stdin.close()

    assert (found, ports) == ({process.pid}, [port])
    assert marked_processes("a-mark") == set()
    assert marked_processes("a-") == set()


def test_ports_of_ipv6_are_found_too() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen()

        assert listener.getsockname()[1] in listening_ports({os.getpid()})


@pytest.mark.parametrize(
    ("family", "host", "expected"),
    [
        (socket.AF_INET, "127.0.0.1", False),
        (socket.AF_INET, "127.0.0.9", False),
        (socket.AF_INET, "0.0.0.0", True),
        (socket.AF_INET6, "::1", False),
        (socket.AF_INET6, "::ffff:127.0.0.1", False),
        (socket.AF_INET6, "::", True),
    ],
)
def test_a_port_is_exposed_on_other_addresses_than_the_loopback(
    family: socket.AddressFamily, host: str, expected: bool
) -> None:
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        port = listener.getsockname()[1]
        assert not is_exposed(port), "it does not listen yet"
        listener.listen()

        assert is_exposed(port) is expected
    assert not is_exposed(port)


def test_a_free_port_is_another_one_than_the_last() -> None:
    ports = iter([4000, 4001])

    class Candidate(socket.socket):
        def bind(self, address: object) -> None:
            self.port = next(ports)

        def getsockname(self) -> tuple[str, int]:
            return "127.0.0.1", self.port

    original = processes.socket.socket
    processes.socket.socket = Candidate  # type: ignore[misc]
    try:
        port = free_port(4000)
    finally:
        processes.socket.socket = original  # type: ignore[misc]

    assert port == 4001
