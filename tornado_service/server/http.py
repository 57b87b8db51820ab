"""The server's life: bound, serving, drained, closed."""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import os
import resource
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyterhub.utils import make_ssl_context
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from .body_limit import Incoming
from .header_limit import MAX_HEADERS
from .parent import PARENT

if TYPE_CHECKING:
    from ..app import TornadoService
    from ..auth.service_auth import ServiceAuth

#: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
PR_SET_PDEATHSIG = 1

#: Open files and connections that the process asks for.
MAX_FILES = 65536

#: Seconds that requests which wait for the hub get to finish.
HUB_GRACE = 1

#: Seconds for a body of 1 MiB to arrive, and in proportion where larger ones are allowed.
BODY_TIMEOUT = 30.0

#: Seconds for which a connection may be kept without a request. The hub's proxy keeps its own for
#: as long as it can: each that we close may be just when it sends a request, which then fails.
IDLE_TIMEOUT = 600

#: Seconds until the process ends that has been told so twice.
AT_ONCE = 0.2


def is_loopback_address(host: str) -> bool:
    """Whether a text is an IP address of this machine's loopback; names never are."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(port: int, ip: str) -> list[socket.socket]:
    """Take the port, on one address or (``""``) on all of IPv4 and IPv6.

    Raises:
        OSError: it is in use, or not ours to take.
    """
    return bind_sockets(port, ip or None)


def raise_file_limit() -> None:
    """Let the process have more connections than the 1024 that are usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some kernels promise more than they give
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def tls_context(auth: ServiceAuth) -> ssl.SSLContext | None:
    """How to serve TLS where the hub has ``internal_ssl``: its proxy shows a certificate, too.

    Raises:
        OSError: the files that the hub names cannot be used.
    """
    if not auth.certfile:
        return None
    return make_ssl_context(
        auth.keyfile, auth.certfile, cafile=auth.client_ca, purpose=ssl.Purpose.CLIENT_AUTH
    )


class Server:
    """One HTTP server on bound sockets, with an orderly end."""

    def __init__(
        self, service: TornadoService, sockets: list[socket.socket], tls: ssl.SSLContext | None
    ) -> None:
        self._service = service
        self._sockets = sockets
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Event()
        size = service.max_body_size
        self._incoming = Incoming(service.web_app, size)
        self._http = HTTPServer(
            self._incoming,
            ssl_options=tls,
            max_header_size=MAX_HEADERS,
            max_body_size=size,
            body_timeout=BODY_TIMEOUT * max(1, size / 2**20),
            idle_connection_timeout=IDLE_TIMEOUT,
        )

    def start(self) -> None:
        """Answer from now on."""
        self._http.add_sockets(self._sockets)
        self._incoming.headers.start()

    def stop_soon(self) -> None:
        """Let open requests finish. Asked a second time: end at once, whatever still hangs."""
        if self._stopping.is_set():
            self._at_once.set()
            end_anyway(AT_ONCE)
        self._stopping.set()

    def stop_now(self) -> None:
        """End at once."""
        self._at_once.set()
        self._stopping.set()

    async def until_stopped(self) -> None:
        """Return when the server has been stopped and is closed."""
        await self._stopping.wait()
        service = self._service
        service.streams.close()
        service.log.info("Stopping; %d requests are open", service.open_requests)
        self._http.stop()
        self._incoming.headers.stop()
        if service.open_requests and not self._at_once.is_set():
            await self._drain(service.shutdown_grace - service.mounts.stop_limit)
        # also cuts what is still under way
        await self._http.close_all_connections()
        service.streams.cut()  # web sockets are no connections of the HTTP server any more

    async def _drain(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        # a hub that stops us looks more and more rarely whether we are gone: 5 s may become 10 s
        loop.call_later(HUB_GRACE, self._service.hub.leave)
        while self._service.open_requests and loop.time() < deadline:
            try:
                await asyncio.wait_for(self._at_once.wait(), 0.02)
            except asyncio.TimeoutError:
                continue
            return


def end_anyway(seconds: float) -> None:
    """End the process when its time is over.

    Whatever hangs then: code of an app, or a look-up of the hub's name, whose thread Python would
    wait for.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def die_with_parent(stop: Callable[[], None]) -> asyncio.Task[None]:
    """Stop when the process that launched us is gone.

    The hub starts services in sessions of their own, so one that is killed leaves them behind,
    and the next hub's service finds its port taken. On Linux the kernel tells us; the parent's id
    is looked at too, as that signal also comes when only the launching thread ends, and as the
    parent may be gone before we have asked for it.

    Args:
        stop: called on the running loop.

    Returns:
        The task that watches; cancel it at the end.
    """
    loop = asyncio.get_running_loop()

    def look() -> bool:
        if os.getppid() == PARENT:
            return False
        stop()
        return True

    async def watch() -> None:
        while not look():  # noqa: ASYNC110 - nothing but the process table knows
            await asyncio.sleep(1)

    if sys.platform == "linux":
        loop.add_signal_handler(signal.SIGHUP, look)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)
    return loop.create_task(watch())
