"""ProxyHandler: passes requests of signed-in users to a web app, and its responses back."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, ClassVar

import h11
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from .. import needs_scopes
from .availability import (
    AppFailure,
    invalid_response,
    require_ready,
    target_of,
    unreachable,
    wait_ready,
)
from .error_pages import ErrorPageHandler
from .forward.exchange import BadResponse, Exchange
from .forward.headers.request import asks_for_websocket
from .forward.request import AppRequest
from .forward.response import VisitorResponse, abort, is_event_stream
from .forward.visitor_body import declared_length
from .stall_watch import is_hung_up
from .websocket.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Set


#: The status in the log when the visitor has left before the response, as nginx has it.
VISITOR_LEFT = 499


@stream_request_body
class ProxyHandler(ErrorPageHandler):
    """All paths of a web app."""

    checks_origin = True
    stream_kind = "sockets"
    required_scopes: ClassVar[Set[str]] = frozenset()

    _exchange: Exchange | None = None
    _task: asyncio.Task[None] | None = None
    _tunnel: Tunnel | None = None
    _is_using_app = False
    _flushed: asyncio.Future[None] | None = None
    _failure: HTTPError | None = None
    _received = 0

    def initialize(self) -> None:
        super().initialize()
        self.quiet = self.is_subresource()  # logged as the service's own static files are

    def on_finish(self) -> None:
        self.app.stalls.discard(self._check_visitor)
        if self._is_using_app:
            self.app.supervisor.end_use()
        super().on_finish()

    async def prepare(self) -> None:
        """Check who it is; then call the app, before the body of the request has come.

        Raises:
            HTTPError: 400, 413, 502 or 503, besides those of all handlers.
        """
        await super().prepare()
        if self._finished:
            return
        self._length = declared_length(self.request)
        self._is_websocket = asks_for_websocket(self.request.headers)
        limit = self.app.options.max_body_size
        if limit is not None and self._length > limit:
            raise self._too_large()
        self._connection.set_body_timeout(None)
        self._connection.set_max_body_size(sys.maxsize)
        if self._is_websocket:
            if self.request.method != "GET" or self._length or self.request.version != "HTTP/1.1":
                raise HTTPError(400, "This is no valid request for a WebSocket.")
            work = self._open_socket()
        elif self._length:
            require_ready(self.app)
            work = self._pass_response(await self._call_app())
        else:
            return  # `get` does it, without a task of its own
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._on_done)

    def _too_large(self) -> HTTPError:
        limit = self.app.options.max_body_size
        return HTTPError(413, "The body of the request is larger than %d bytes, the limit.", limit)

    async def _call_app(self) -> VisitorResponse:
        """Send the request to the app, without its body; returns what will pass the response on."""
        supervisor, target = self.app.supervisor, target_of(self.app)
        if supervisor is not None:
            supervisor.begin_use()
            self._is_using_app = True
        # no attribute: a cycle of references takes the garbage collector 30 µs for each request
        app_request = AppRequest(self, target)
        request = await app_request.make(self._length, is_websocket=self._is_websocket)
        exchange = Exchange(self.app.pool, target, request, has_body=self._length != 0)
        try:
            await exchange.open()
        except OSError as error:
            exchange.close()
            raise unreachable(self.app, error, self.request_id) from error
        except BaseException:
            exchange.close()
            raise
        if self._connection.stream.closed():
            exchange.close()
            raise StreamClosedError
        self._exchange = exchange
        self.app.stalls.add(self._check_visitor)
        return VisitorResponse(self, exchange, app_request)

    def data_received(self, chunk: bytes) -> Any:
        """Pass a piece of the body on; the next one is read when the app has taken this."""
        if self._exchange is None or self._task is None or self._task.done():
            self.discard(chunk)
            return None
        self._received += len(chunk)
        limit = self.app.options.max_body_size
        if limit is not None and self._received > limit:
            self._fail(self._too_large())
            return None
        return self._exchange.send_body(chunk)

    async def get(self) -> None:
        """End the body for the app, and wait for the end of the response.

        All methods do this: the response is passed on meanwhile.
        """
        if self._task is None:
            await self._serve()
            return
        if self._exchange is not None:
            await self._exchange.end_body()
        await asyncio.wait({self._task})

    async def _serve(self) -> None:
        """Serve a request without a body."""
        error: BaseException | None = None
        try:
            require_ready(self.app)
            await self._pass_response(await self._call_app())
        except Exception as failure:
            error = failure
        self._settle(error)

    post = put = patch = delete = get

    async def options(self) -> None:  # type: ignore[override] # asynchronous, as all methods here
        """As the other methods: the app's OPTIONS, for users who are signed in."""
        await self.get()

    async def _pass_response(self, response: VisitorResponse) -> None:
        head = await response.head()
        if not is_event_stream(head):
            await self._pass_body(response, head)
            return
        self.stream_kind = "events"
        with self.context.streams.register(self):  # ends with the session, as a WebSocket does
            await self._pass_body(response, head)

    async def _pass_body(self, response: VisitorResponse, head: Any) -> None:
        await response.pass_all(head)
        response.exchange.finish()
        self.finish()

    async def _open_socket(self) -> None:
        """Open a WebSocket: first the app's handshake, then ours as the app has answered."""
        with self.context.streams.register(self):
            await wait_ready(self.app)
            response = await self._call_app()
            head = await response.head()
            if isinstance(head, h11.Response):
                await self._pass_body(response, head)
                return
            response.accept_websocket(head)
            reader, writer, first = await response.exchange.detach()
            supervisor = self.app.supervisor
            if supervisor is not None:
                supervisor.begin_use()  # the request ends here, its use of the app goes on
            try:
                self.finish()
                self._tunnel = Tunnel(
                    self.detach(),
                    reader,
                    writer,
                    first=first,
                    max_message_size=self.app.options.max_message_size,
                )
                await self._tunnel.run()
            finally:
                if supervisor is not None:
                    supervisor.end_use()

    def _fail(self, error: HTTPError) -> None:
        """End the call of the app with an error, or abort a response that has begun."""
        self._failure = self._failure or error
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        elif self._exchange is not None:
            self._exchange.close()  # what is pending raises

    def _check_visitor(self) -> None:
        """End the call of the app if the visitor has left.

        The stream notices no end while bytes of the visitor are not read. Within a body, Tornado
        does not call ``on_connection_close``.
        """
        stream = self._connection.stream
        if is_hung_up(stream.socket):
            stream.close()
            self._cancel()

    def on_connection_close(self) -> None:
        """End the call of the app: nobody waits for it any more."""
        self._cancel()
        super().on_connection_close()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._settle(None if task.cancelled() else task.exception())

    def _settle(self, error: BaseException | None) -> None:
        """Finish the request, however the exchange with the app has ended."""
        if self._exchange is not None:
            self._exchange.close()
        is_finished = self._finished or self.is_lingering
        has_left = is_finished or self._connection.stream.closed()
        if has_left and isinstance(error, (BadResponse, OSError)):
            error = None
        if isinstance(error, BadResponse):
            error = invalid_response(self.app, error, self.request_id)
        elif isinstance(error, OSError):
            error = unreachable(self.app, error, self.request_id)
        error = error or self._failure  # none of both: the visitor has left
        if error is not None and not isinstance(error, HTTPError):
            self.log_exception(type(error), error, error.__traceback__)
        if not is_finished:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if self._headers_written or self._connection.stream.closed():
            if not self._headers_written:
                self.set_status(VISITOR_LEFT, "Client Closed Request")
            abort(self._connection, is_event_stream=self.stream_kind == "events")
            self.finish()
        elif error is not None:
            status = error.status_code if isinstance(error, HTTPError) else 500
            self.send_error(status, exc_info=(type(error), error, error.__traceback__))
        else:
            self.finish()

    def flush(self, include_footers: bool = False) -> Any:
        """Send buffered data: nothing if the app's response has been passed on."""
        if self._headers_written and not self._write_buffer:
            return self._flushed
        return super().flush(include_footers)

    def is_still_allowed(self, user: Any) -> bool:
        """Whether the user, whom the hub has just confirmed, may keep a stream."""
        missing = self._missing_scopes(user, frozenset(self.required_scopes))
        return not missing and self.app.allows(user)

    def close_with_reason(self, reason: Any) -> None:
        """Close a WebSocket, with a reason for both sides, or abort a stream of events."""
        if self._tunnel is not None:
            self._tunnel.close(reason.code, reason.label)
        else:
            self._fail(AppFailure(503, "The session or the service has ended.", None))

    def abort(self) -> None:
        """Abort the connection of a stream."""
        if self._tunnel is not None:
            self._tunnel.abort()
        else:
            self._cancel()


def make_handler(required_scopes: Set[str]) -> type[ProxyHandler]:
    """The handler of an app whose visitors need these scopes beyond access to the service."""
    marked: dict[str, Any] = {"required_scopes": frozenset(required_scopes)}
    if required_scopes:
        for name in ("get", "post", "put", "patch", "delete", "options"):

            async def method(self: ProxyHandler) -> None:
                await ProxyHandler.get(self)

            method.__name__ = name
            marked[name] = needs_scopes(*required_scopes)(method)
    return type("ProxyHandler", (ProxyHandler,), marked)
