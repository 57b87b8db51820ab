"""The floor: Tornado and h11 alone, without sign-in, checks of headers, limits or log.

``python floor.py PORT UNIX_SOCKET``
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import h11
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import Application, RequestHandler

Connection = tuple[h11.Connection, asyncio.StreamReader, asyncio.StreamWriter]
pool: list[Connection] = []


class Handler(RequestHandler):
    async def get(self) -> None:
        if "Upgrade" in self.request.headers:
            await self._open_socket()
            return
        client, reader, writer = pool.pop() if pool else await _connect()
        request = h11.Request(
            method="GET", target=self.request.path, headers=self._visitor_headers("connection")
        )
        head = client.send(request) or b""
        writer.write(head + (client.send(h11.EndOfMessage()) or b""))
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                client.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Response):
                self.set_status(event.status_code)
                self._headers_of(event)
            elif isinstance(event, h11.Data):
                self.write(bytes(event.data))
                await self.flush()
        client.start_next_cycle()
        pool.append((client, reader, writer))

    def _visitor_headers(self, *without: str) -> list[tuple[str, str]]:
        return [pair for pair in self.request.headers.get_all() if pair[0].lower() not in without]

    def _headers_of(self, event: h11.Response) -> None:
        headers = self._headers = HTTPHeaders()
        for name, value in event.headers:
            headers.add(name.decode("latin-1"), value.decode("latin-1"))

    async def _open_socket(self) -> None:
        _, reader, writer = await _connect()
        lines = "".join(f"{name}: {value}\r\n" for name, value in self._visitor_headers())
        writer.write(f"GET {self.request.path} HTTP/1.1\r\n{lines}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        stream = self.detach()
        await stream.write(head)
        with suppress(StreamClosedError, OSError):
            await asyncio.gather(_to_app(stream, writer), _to_visitor(reader, stream))
        stream.close()
        writer.close()


async def _to_app(stream: IOStream, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(await stream.read_bytes(65536, partial=True))
        await writer.drain()


async def _to_visitor(reader: asyncio.StreamReader, stream: IOStream) -> None:
    while data := await reader.read(65536):
        await stream.write(data)
    stream.close()


async def _connect() -> Connection:
    return h11.Connection(h11.CLIENT), *await asyncio.open_unix_connection(sys.argv[2])


async def main() -> None:
    Application([(".*", Handler)], log_function=lambda handler: None).listen(
        int(sys.argv[1]), "127.0.0.1"
    )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
