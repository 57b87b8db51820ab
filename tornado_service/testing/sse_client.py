"""A client for server-sent events."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient


@dataclass(frozen=True)
class Event:
    """One event.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    data: str
    name: str = "message"
    id: str = ""

    @property
    def json(self) -> Any:
        """The parsed data."""
        return json.loads(self.data)


class EventReader(HTTPMessageDelegate):
    """An event stream, open until the end of its ``async with``.

    ::

        async with fetch.listen("reports/api/events", token=token) as events:
            await fetch("reports/api/reports", token=token, method="POST", json={"title": "x"})
            (event,) = await events.read(1)
            assert event.json == {"title": "x"}

    Attributes:
        code: the status of the response; 599 if there is none.
        headers: the response headers.
        last_id: the ``Last-Event-ID`` of a browser that reconnects.
    """

    #: Seconds before an event, or the response headers, must arrive.
    patience = 30.0

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = urlsplit(url)
        self._request_headers = HTTPHeaders({"Host": self._url.netloc, **headers})
        self.code = 599
        self.headers = HTTPHeaders()
        self._response_started = asyncio.Event()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._partial_line = ""
        self._fields: dict[str, str] = {}
        self.last_id = ""

    async def __aenter__(self) -> EventReader:
        """Open it. ``code`` shows whether that succeeded.

        Raises:
            OSError: no connection.
            asyncio.TimeoutError: the response does not begin in time.
        """
        tcp = TCPClient()
        stream = await tcp.connect(self._url.hostname or "", self._url.port or 80)
        tcp.close()
        self._connection = HTTP1Connection(
            stream, True, HTTP1ConnectionParameters(no_keep_alive=True, decompress=True)
        )
        self._reader = asyncio.create_task(self._read())
        try:
            await asyncio.wait_for(self._response_started.wait(), self.patience)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()
        await self._reader

    async def _read(self) -> None:
        path = self._url.path + (f"?{self._url.query}" if self._url.query else "")
        with suppress(StreamClosedError):
            await self._connection.write_headers(
                RequestStartLine("GET", path, "HTTP/1.1"), self._request_headers
            )
            self._connection.finish()
            await self._connection.read_response(self)
        self._response_started.set()
        self._events.put_nowait(None)

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        self.code = getattr(start_line, "code", self.code)
        self.headers = headers
        self._response_started.set()

    def data_received(self, chunk: bytes) -> None:
        *lines, self._partial_line = (self._partial_line + self._decoder.decode(chunk)).split("\n")
        for line in lines:
            self._parse_line(line.rstrip("\r"))

    def _parse_line(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and name == "data" and "data" in self._fields:
            self._fields["data"] += "\n" + value
        elif line:
            self._fields[name] = value
        else:
            fields, self._fields = self._fields, {}
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                name = fields.get("event", "message")
                self._events.put_nowait(Event(fields["data"], name, self.last_id))

    def __aiter__(self) -> EventReader:
        return self

    async def __anext__(self) -> Event:
        """The next event; iteration ends when the service ends the stream.

        Raises:
            asyncio.TimeoutError: there is none in time.
        """
        event = await asyncio.wait_for(self._events.get(), self.patience)
        if event is None:
            self._events.put_nowait(None)
            raise StopAsyncIteration
        return event

    async def read(self, count: int) -> list[Event]:
        """The next events.

        Raises:
            asyncio.TimeoutError: one of them is not received in time.
            AssertionError: the stream has ended before.
        """
        events: list[Event] = []
        async for event in self:
            events.append(event)
            if len(events) == count:
                return events
        raise AssertionError(f"the stream (status {self.code}) has ended after {events}")
