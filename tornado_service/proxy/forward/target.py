"""Where an app listens: a unix socket, a port of this machine, or a URL."""

from __future__ import annotations

import asyncio
import errno
import ssl
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

#: Names of this machine, any of which an app may use in its URLs.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "0.0.0.0"})  # noqa: S104 - not bound

#: The service itself has no file or memory left for a connection. (The server has the same set, but
#: web apps use public names of the service only.)
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True)
class Target:
    """Where an app listens.

    Attributes:
        unix_socket: the path of its socket; empty if it listens at ``host`` and ``port``.
        host: a name or an address, without brackets.
        port: 1 to 65535.
        tls: whether it is called by https.
        path: the path of its URL, without a slash at its end; empty for the whole host.
    """

    unix_socket: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    path: str = ""

    @classmethod
    def of_url(cls, text: str) -> Target:
        """Where an app listens whose URL is ``http://HOST[:PORT][/PATH]``, or ``https://``."""
        url = urlsplit(text)
        tls = url.scheme == "https"
        port = url.port or (443 if tls else 80)
        return cls(host=url.hostname or "", port=port, tls=tls, path=url.path.rstrip("/"))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection.

        Raises:
            OSError: the app does not listen there, or its certificate is not valid.
        """
        if self.unix_socket:
            return await asyncio.open_unix_connection(self.unix_socket)
        tls = client_tls() if self.tls else None
        return await asyncio.open_connection(self.host, self.port, ssl=tls)

    @property
    def authority(self) -> str:
        """Host and port as in a URL; without the port if it is the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def is_own_authority(self, authority: str) -> bool:
        """Whether a URL with this host and port is the app's own, as it sees itself."""
        host, colon, port = authority.lower().rpartition(":")
        if not colon or "]" in port:
            host, port = authority.lower(), "443" if self.tls else "80"
        if self.unix_socket:
            return False
        ours = f"[{self.host}]" if ":" in self.host else self.host
        is_host = host == ours.lower() or (ours in LOOPBACK and host in LOOPBACK)
        return is_host and port == str(self.port)


def is_shortage(error: OSError) -> bool:
    """Whether a connection has failed here, which says nothing about the app."""
    return error.errno in SHORTAGES


@cache
def client_tls() -> ssl.SSLContext:
    """The system's certificate authorities. Cached, as reading them takes tens of milliseconds."""
    return ssl.create_default_context()
