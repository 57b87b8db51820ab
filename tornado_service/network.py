"""Addresses and TLS files in settings and the hub's environment."""

from __future__ import annotations

import ipaddress
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from jupyterhub.utils import make_ssl_context


def is_loopback_address(host: str) -> bool:
    """Whether a text is a loopback IP address; names never are."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Whether a URL's host is literally this machine.

    Names are not resolved: with a host alias a name of the cluster may resolve to loopback, while
    the proxy still connects from outside.
    """
    return host == "localhost" or is_loopback_address(host)


def port_of(url: str) -> int:
    """The port of an http or https URL, explicit or the scheme's own."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


class TLSFiles(NamedTuple):
    """Key, certificate and authority of the hub's ``internal_ssl``; empty if it is off.

    https://jupyterhub.readthedocs.io/en/stable/explanation/websecurity.html#internal-ssl
    """

    keyfile: str = ""
    certfile: str = ""
    client_ca: str = ""

    def client_context(self) -> ssl.SSLContext | None:
        """The TLS context for calls of the hub; ``None`` without TLS."""
        return self._context(ssl.Purpose.SERVER_AUTH)

    def server_context(self) -> ssl.SSLContext | None:
        """The server's TLS context, which checks the proxy's certificate. ``None`` without TLS."""
        return self._context(ssl.Purpose.CLIENT_AUTH)

    def _context(self, purpose: ssl.Purpose) -> ssl.SSLContext | None:
        if not self.certfile:
            return None
        return make_ssl_context(self.keyfile, self.certfile, cafile=self.client_ca, purpose=purpose)
