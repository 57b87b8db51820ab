"""The HTTP server: started on bound sockets, drained, closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

from tornado.httpserver import HTTPServer
from tornado.web import Application

from ..config.launch import is_launched_by_hub
from ..handlers.context import ServiceContext
from .body_limit import BodyLimiter
from .header_limit import MAX_HEADER_BYTES
from .listening import ListeningSocket
from .process import force_exit_after

#: Grace period in seconds of requests that wait for the hub.
HUB_GRACE = 1

#: Seconds for a body of 1 MiB to arrive, and in proportion if larger ones are allowed.
BODY_TIMEOUT = 30.0

#: Seconds for which an idle connection is kept. The hub's proxy keeps its own for as long as it
#: can: closing one may coincide with a request on it, which then fails.
IDLE_TIMEOUT = 600

#: Seconds for which connections without a request are kept when an external service stops, from
#: its last response on, as a load balancer may be sending one: it gets a response, which closes the
#: connection.
CLOSING_DELAY = 0.5

#: Seconds until the process exits after a second signal.
FORCED_EXIT_DELAY = 0.2


class LimitedHTTPServer(HTTPServer):
    """An HTTP server that tells its limiter, too, when a connection has been closed."""

    request_callback: BodyLimiter

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self.request_callback.on_close(server_conn)


class Server:
    """One HTTP server on bound sockets, with graceful shutdown."""

    def __init__(
        self,
        application: Application,
        sockets: list[socket.socket],
        tls: ssl.SSLContext | None,
        context: ServiceContext,
        max_body_size: int,
    ) -> None:
        self._sockets = [ListeningSocket(bound, context.log) for bound in sockets]
        self._context = context
        self._stopping = asyncio.Event()
        self._forced_stop = asyncio.Event()
        self._limiter = BodyLimiter(application, context.log, max_body_size)
        self._http = LimitedHTTPServer(
            self._limiter,
            ssl_options=tls,
            max_header_size=MAX_HEADER_BYTES,
            max_body_size=max_body_size,
            body_timeout=BODY_TIMEOUT * max(1, max_body_size / 2**20),
            idle_connection_timeout=IDLE_TIMEOUT,
        )

    def start(self) -> None:
        self._http.add_sockets(self._sockets)
        self._limiter.headers.start()

    def stop_gracefully(self) -> None:
        """Let open requests finish; a second call stops at once."""
        if self._stopping.is_set():
            self._forced_stop.set()
            force_exit_after(FORCED_EXIT_DELAY)
        self._begin_to_stop()

    def stop_immediately(self) -> None:
        self._forced_stop.set()
        self._begin_to_stop()

    def _begin_to_stop(self) -> None:
        self._context.is_stopping = True
        # responses to further requests on open connections close these
        self._http.conn_params.no_keep_alive = True
        self._stopping.set()

    async def wait_stopped(self) -> None:
        await self._stopping.wait()

    async def close(self, grace: float) -> None:
        """Accept no more connections, let open requests finish, and close all connections."""
        self._http.stop()
        self._limiter.headers.stop()
        await self._drain(grace)
        # also ends requests that are still running
        await self._http.close_all_connections()

    async def _drain(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        delay = CLOSING_DELAY
        if is_launched_by_hub():
            # a hub that stops us polls for our exit with growing intervals: 5 s may become 10 s
            loop.call_later(HUB_GRACE, self._context.hub.abort_pending)
            delay = 0
        closing_at = loop.time() + delay
        while not self._forced_stop.is_set() and (now := loop.time()) < deadline:
            if self._context.open_requests:
                closing_at = now + delay
            elif now >= closing_at or not self._limiter.headers.has_connections:
                return
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._forced_stop.wait(), 0.02)
