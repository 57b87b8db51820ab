"""Ports that do not respond, and access to findings."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tornado_service.demo.processes import free_ports
from tornado_service.selfcheck import Finding


@contextmanager
def dropping(address: str = "127.0.0.1") -> Iterator[int]:
    """A port whose connections time out, as if a network policy drops them."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server((address, 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port that accepts connections, and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def refusing() -> Iterator[int]:
    """A port on which nothing listens."""
    yield free_ports(1)[0]


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}
