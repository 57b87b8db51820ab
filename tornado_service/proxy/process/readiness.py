"""Whether a web app responds, and at which paths."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import h11

from ..diagnosis import is_bare
from ..forward.target import Target, is_shortage

#: Seconds between two attempts: the first, and the longest.
FIRST_PAUSE = 0.05
LAST_PAUSE = 0.5

#: Bytes of a body that are read, and the seconds for it.
MAX_BODY = 65536
BODY_TIMEOUT = 1.0

#: Seconds that a check of a running app may take.
CHECK_TIMEOUT = 5.0


@dataclass(frozen=True)
class Response:
    """The beginning of a response.

    Attributes:
        status: its code.
        location: where it redirects, or empty.
        page: the beginning of its body, if that is an HTML page.
    """

    status: int
    location: str = ""
    page: bytes = field(default=b"", compare=False, repr=False)


class NoResponse(Exception):
    """An app accepts connections, but does not respond with HTTP; the message says what it does."""


async def fetch(target: Target, path: str, prefix: str) -> Response:
    """Request a page; redirects are not followed, and of the body only the beginning is read.

    Args:
        target: where the app listens.
        path: the path of the page, after that of the target's URL.
        prefix: the app's path for visitors, without a slash at the end.

    Raises:
        OSError: nothing listens there.
        NoResponse: the app does not respond with HTTP.
    """
    reader, writer = await target.connect()
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=65536)
    host = "localhost" if target.unix_socket else target.host
    headers = [
        ("Host", f"[{host}]" if ":" in host else host),
        ("Accept", "text/html, */*"),
        ("User-Agent", "tornado-service"),
        ("X-Forwarded-Prefix", prefix),
        ("Connection", "close"),
    ]
    try:
        request = h11.Request(method="GET", target=f"{target.path}{path}", headers=headers)
        for part in (request, h11.EndOfMessage()):
            writer.write(connection.send(part) or b"")
        while not isinstance(event := connection.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
        # an app whose connection is closed too early may log an error
        body = bytearray()
        with suppress(asyncio.TimeoutError, h11.ProtocolError, ConnectionError):
            await asyncio.wait_for(_read_body(connection, reader, body), BODY_TIMEOUT)
    except h11.ProtocolError as error:
        raise NoResponse(f"no valid HTTP response ({error})") from error
    except ConnectionError as error:
        reason = error.strerror or type(error).__name__
        raise NoResponse(f"it closes connections ({reason})") from error
    finally:
        writer.close()
    fields = dict(event.headers)
    location = fields.get(b"location", b"")
    is_page = fields.get(b"content-type", b"").lower().startswith(b"text/html")
    page = bytes(body) if is_page and b"content-encoding" not in fields else b""
    return Response(event.status_code, location.decode("latin-1"), page)


async def _read_body(
    connection: h11.Connection, reader: asyncio.StreamReader, body: bytearray
) -> None:
    """Add the beginning of a body to another."""
    while len(body) < MAX_BODY:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            return


def path_of(prefix: str, strip_prefix: bool) -> str:
    """The path of an app's home page, as it gets it."""
    return "/" if strip_prefix else f"{prefix}/"


async def wait_until_ready(target: Target, path: str, prefix: str) -> Response:
    """Request a page until the app responds, with any status. Does not end before."""
    pause = FIRST_PAUSE
    while True:
        with suppress(OSError, NoResponse):
            return await fetch(target, path, prefix)
        await asyncio.sleep(pause)
        pause = min(LAST_PAUSE, 1.5 * pause)


async def is_refusing(target: Target) -> bool:
    """Whether nothing listens there any more."""
    try:
        _, writer = await asyncio.wait_for(target.connect(), CHECK_TIMEOUT)
    except asyncio.TimeoutError:
        return False  # it is busy
    except OSError as error:
        return not is_shortage(error)
    writer.transport.abort()
    return False


@dataclass(frozen=True)
class Paths:
    """The responses of an app at the paths that tell how it treats its prefix; None: none.

    Attributes:
        root: at ``/``.
        prefixed: at the prefix.
        twice: at the prefix, twice.
    """

    root: Response | None
    prefixed: Response | None
    twice: Response | None


async def fetch_paths(
    target: Target, prefix: str, strip_prefix: bool, home: Response
) -> Paths | None:
    """Find out at which paths the app has its home page.

    Args:
        target: where the app listens.
        prefix: without a slash at the end.
        strip_prefix: whether the app gets requests without the prefix.
        home: the response at the path where it should be.

    Returns:
        None if it is there.
    """

    async def response(path: str) -> Response | None:
        with suppress(OSError, NoResponse, asyncio.TimeoutError):
            return await asyncio.wait_for(fetch(target, path, prefix), CHECK_TIMEOUT)
        return None

    # no further request to an app that works, as it may log or count them
    if home.status != 404 and not (
        home.location and (strip_prefix or is_bare(home.location, prefix))
    ):
        return None
    return Paths(
        root=home if strip_prefix else await response("/"),
        prefixed=await response(f"{prefix}/") if strip_prefix else home,
        twice=None if strip_prefix else await response(f"{prefix}{prefix}/"),
    )
