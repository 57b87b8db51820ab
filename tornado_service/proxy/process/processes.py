"""Processes of a command, and the ports that they listen on, from Linux' /proc.

https://man7.org/linux/man-pages/man5/proc.5.html. Elsewhere, nothing is found.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from .environment import MARK

#: The state of listening sockets in /proc/net/tcp.
_LISTENING = "0A"


def marked_processes(mark: str) -> set[int]:
    """The running processes whose environment has a mark. Reads files."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                # that of a process that has ended is empty
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.add(int(name))
    return found


def listening_ports(pids: set[int]) -> list[int]:
    """The TCP ports on which processes listen. Reads files."""
    sockets = set()
    for pid in pids:
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    sockets.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    ports = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and f"socket:[{columns[9]}]" in sockets:
                    ports.add(int(columns[1].rpartition(":")[2], 16))
    return sorted(ports)


def is_exposed(port: int) -> bool:
    """Whether a process listens on a TCP port of another address than the loopback. Reads files."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()
                address, _, number = columns[1].rpartition(":")
                if columns[3] == _LISTENING and int(number, 16) == port:
                    # words in the order of the machine's bytes
                    words = [address[at : at + 8] for at in range(0, len(address), 8)]
                    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
                    if not _is_loopback(ip_address(packed)):
                        return True
    return False


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def free_port(avoid: int = 0) -> int:
    """A free port of 127.0.0.1, other than one.

    Raises:
        OSError: there is none.
    """
    with socket.socket() as first, socket.socket() as second:
        ports = []
        for candidate in (first, second):  # both are bound, so their ports differ
            candidate.bind(("127.0.0.1", 0))
            ports.append(int(candidate.getsockname()[1]))
    return next(port for port in ports if port != avoid)
