"""The web app that all proxies pass requests to. Run by uvicorn, from another environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
PAGE = b"x" * 1024
CHUNK = b"x" * 65536


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Respond with 1 KiB; ``/bytes/N`` with N bytes; to a body with its size; echo messages."""
    if scope["type"] == "websocket":
        await _echo(receive, send)
    elif scope["type"] == "http":
        size = await _read_body(receive) if scope["method"] == "POST" else 0
        body = str(size).encode() if size else PAGE
        length = len(body)
        if "/bytes/" in scope["path"]:
            body, length = CHUNK, int(scope["path"].rpartition("/")[2])
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while length > len(body):
            await send({"type": "http.response.body", "body": body, "more_body": True})
            length -= len(body)
        await send({"type": "http.response.body", "body": body[:length]})


async def _read_body(receive: Callable[[], Awaitable[Message]]) -> int:
    size, is_more = 0, True
    while is_more:
        message = await receive()
        size += len(message.get("body", b""))
        is_more = message.get("more_body", False)
    return size


async def _echo(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
