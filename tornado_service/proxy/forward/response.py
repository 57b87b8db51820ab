"""The response of the app, written to the visitor as it comes."""

from __future__ import annotations

import socket
import struct
from typing import Any
from urllib.parse import urlsplit

import h11
from tornado.httputil import ResponseStartLine

from ... import PageHandler
from .exchange import BadResponse, Exchange
from .headers.raw import RawHeaders
from .headers.request import accepts_trailers, asks_for_websocket
from .request import AppRequest


class VisitorResponse:
    """Writes a response of the app to a visitor.

    Args:
        handler: the visitor's request.
        exchange: the call of the app.
        request: the request to the app.
    """

    def __init__(self, handler: PageHandler, exchange: Exchange, request: AppRequest) -> None:
        self._handler: Any = handler
        self.exchange = exchange
        self._rules = request.response_rules()

    @property
    def _connection(self) -> Any:
        return self._handler.request.connection

    async def head(self) -> h11.Response | h11.InformationalResponse:
        """The status and headers, once they have come; see `Exchange.response` for errors."""
        head = await self.exchange.response(self.pass_informational)
        self._handler.app.url_problem = ""
        return head

    async def pass_informational(self, event: h11.InformationalResponse) -> None:
        """Pass a response 1xx on, except 100: we have answered ``Expect``.

        HTTP/1.0 has none (RFC 9110, section 15.2).
        """
        if event.status_code == 100 or self._handler.request.version != "HTTP/1.1":
            return
        headers = self._rules.make_headers(event.status_code, event.headers.raw_items())
        line = f"HTTP/1.1 {event.status_code} {_text(event.reason)}\r\n"
        await self._connection.stream.write(line.encode() + _encode(headers) + b"\r\n")

    async def pass_all(self, head: h11.Response) -> None:
        """Write the response as it comes; each piece waits until the visitor has read the last.

        Raises:
            BadResponse: its body is malformed, or ends too early.
            StreamClosedError: the visitor has left.
        """
        exchange, connection = self.exchange, self._connection
        headers = self._make_headers(head)
        data = await self._first_data(head, headers)
        if self._handler.request.version == "HTTP/1.0" and "Content-Length" not in headers:
            connection._disconnect_on_finish = True  # only the end of the connection ends it
        if not exchange.is_complete:  # else an event may wait for the visitor's ACK
            connection.stream.set_nodelay(True)
        line = ResponseStartLine("", head.status_code, _text(head.reason))
        self._handler.set_status(head.status_code)
        written = connection.write_headers(line, headers, data)
        self._handler._headers = headers
        self._handler._headers_written = True
        self._handler._transforms = []  # what the app has compressed or not stays so
        self._handler._flushed = written
        await written
        while not exchange.is_complete:
            await exchange.receive()
            data = exchange.take()
            if data:
                await connection.write(data)
        await self._end_chunks()

    async def _first_data(self, head: h11.Response, headers: RawHeaders) -> bytes:
        """What has come of the body; of a refusal, at least something.

        A refusal may be the framework's own check of origins, which the supervisor recognizes.
        """
        data = self.exchange.take()
        supervisor = self._handler.app.supervisor
        if head.status_code in (400, 403) and supervisor is not None:
            while not data and not self.exchange.is_complete:
                await self.exchange.receive()
                data = self.exchange.take()
            is_websocket = asks_for_websocket(self._handler.request.headers)
            supervisor.report_response(head.status_code, headers, data, is_websocket)
        return data

    def _make_headers(self, head: h11.Response) -> RawHeaders:
        handler = self._handler
        headers = self._rules.make_headers(head.status_code, head.headers.raw_items())
        self._note_bare_path(headers)
        lengths = headers.get_list("Content-Length")
        handler.app.change_response_headers(handler, headers)
        if headers.get_list("Content-Length") != lengths:
            headers.discard("Content-Length")
            for length in lengths:
                headers.add("Content-Length", length)
        headers.discard("Transfer-Encoding")
        if "Trailer" in headers and not self._may_have_trailers(head.status_code, headers):
            headers.discard("Trailer")
        return headers

    def _may_have_trailers(self, status: int, headers: RawHeaders) -> bool:
        """Whether fields may follow the body: if it comes in chunks, and the visitor reads them.

        Node, on which the hub's proxy runs, fails on any other response that announces them.
        """
        request = self._handler.request
        is_chunked = (
            request.method != "HEAD"
            and status not in (204, 304)
            and "Content-Length" not in headers
        )
        return is_chunked and accepts_trailers(request.headers)

    def _note_bare_path(self, headers: RawHeaders) -> None:
        """Do not redirect from ``P/<name>`` any more, if the app redirects to it (as Next.js)."""
        if "Location" not in headers:
            return
        handler, app = self._handler, self._handler.app
        if handler.request.path != app.prefix or app.options.strip_prefix:
            return
        try:
            url = urlsplit(headers["Location"])
        except ValueError:  # such as http://[
            return
        is_ours = url.netloc in ("", handler.request.headers.get("Host"))
        if is_ours and f"{url.path}/" == app.prefix:
            app.serves_bare_path = True
            # else a browser keeps a permanent redirect longer than we know this
            headers["Cache-Control"] = "no-store"

    async def _end_chunks(self) -> None:
        """Write the last chunk, with the trailers that the visitor can read.

        Now, as the body of the request may still be coming.
        """
        connection = self._connection
        if connection._chunking_output:
            connection._chunking_output = False
            trailers = b""
            if self.exchange.trailers and accepts_trailers(self._handler.request.headers):
                trailers = _encode(self._rules.make_trailers(self.exchange.trailers))
            await connection.stream.write(b"0\r\n" + trailers + b"\r\n")

    def accept_websocket(self, head: h11.InformationalResponse) -> None:
        """Set the visitor's 101 to that of the app.

        Raises:
            BadResponse: the app has switched to another protocol.
        """
        raw = head.headers.raw_items()
        if not any(
            name.lower() == b"upgrade" and value.lower() == b"websocket" for name, value in raw
        ):
            raise BadResponse("it has switched to a protocol other than WebSocket")
        headers = self._rules.make_headers(101, raw)
        self._handler.app.change_response_headers(self._handler, headers)
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        self._handler.set_status(101)
        self._handler._headers = headers
        self._handler._transforms = []


def is_event_stream(head: h11.Response | h11.InformationalResponse) -> bool:
    """Whether a response is a stream of events, which may never end.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    kinds = [value for name, value in head.headers.raw_items() if name.lower() == b"content-type"]
    return any(kind.strip().lower().startswith(b"text/event-stream") for kind in kinds)


def abort(connection: Any, *, is_event_stream: bool) -> None:
    """Reset a visitor's connection, so that no response on it can be taken for complete.

    A stream of events is never complete. It is left to be ended in order: the hub's proxy does not
    pass a reset on, so that a page would wait for further events instead of connecting again.
    """
    stream = connection.stream
    if not stream.closed() and not (is_event_stream and connection._chunking_output):
        # a reset instead of an orderly end: https://man7.org/linux/man-pages/man7/socket.7.html
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()


def _text(reason: bytes) -> str:
    """A reason phrase for Tornado, which encodes it in UTF-8; none if it is not printable."""
    try:
        text = reason.decode()
    except UnicodeDecodeError:
        text = reason.decode("latin-1")
    return text if text.isprintable() else ""


def _encode(headers: RawHeaders) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.get_all())
