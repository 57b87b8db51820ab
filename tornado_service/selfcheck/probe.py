"""One HTTP request, and the reason if it fails."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Container, Sequence
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlencode, urlsplit

from tornado.httputil import HTTPHeaders, HTTPInputError, parse_response_start_line

#: Seconds for one request. A hub may give up on a service after ten.
TIMEOUT = 3.0

MAX_RESPONSE_SIZE = 1024 * 1024

#: If the addresses of one name fail for several reasons, the first in this list is reported:
#: the further the exchange got, the more specific the reason.
FailureReason = Literal["url", "name", "tls", "silent", "closed", "refused", "dropped", "no-route"]

_REASON_MESSAGES: dict[FailureReason, str] = {
    "url": "it is not an http:// or https:// URL",
    "name": "the name {host} does not resolve",
    "tls": "TLS fails: its certificate is not one to trust here, or it has none",
    "silent": "it takes the connection, but sends no response in {timeout:g} s",
    "closed": "it closes the connection without a response",
    "refused": "connection refused",
    "dropped": "no connection in {timeout:g} s, as when a network policy drops it",
    "no-route": "no route leads there",
}


class ProbeError(Exception):
    """There was no response.

    Attributes:
        reason: the reason for programs; the text is for administrators.
        certificates: those that the peer showed before it refused ours, if any.
        addresses: the addresses of the name.
    """

    def __init__(
        self,
        reason: FailureReason,
        host: str = "",
        certificates: Container[bytes | None] = (),
        addresses: Sequence[str] = (),
    ) -> None:
        super().__init__(_REASON_MESSAGES[reason].format(host=host, timeout=TIMEOUT))
        self.reason = reason
        self.certificates = certificates
        self.addresses = addresses


class ProbeResponse(NamedTuple):
    """A response of any status."""

    status: int
    headers: HTTPHeaders
    body: bytes


async def get(
    url: str,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> ProbeResponse:
    """Make one GET request: see ``request``."""
    return await request("GET", url, headers, tls)


async def post(url: str, form: dict[str, str], tls: ssl.SSLContext | None = None) -> ProbeResponse:
    """Make one POST request with a form: see ``request``."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await request("POST", url, headers, tls, urlencode(form).encode())


async def request(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    body: bytes = b"",
) -> ProbeResponse:
    """Make one request, in ``TIMEOUT`` seconds at most; redirects are not followed.

    Other HTTP clients do not distinguish a dropped connection from a silent server, and resolve
    names in threads that keep the process running. This one does neither.

    Raises:
        ProbeError: there was no response.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise ProbeError("url") from None
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    addresses = await resolve(host)
    options: dict[str, Any] = {}
    certificates: list[bytes | None] = []
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        context.sslobject_class = _recording_ssl_object(certificates)
        options = {"ssl": context, "server_hostname": host}
    head = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close", **(headers or {})}
    if body:
        head["Content-Length"] = str(len(body))
    lines = [f"{method} {parts.path or '/'} HTTP/1.0", *map(": ".join, head.items()), "", ""]
    message = "\r\n".join(lines).encode() + body
    outcomes = await asyncio.gather(
        *(_exchange(address, port, options, message, deadline) for address in addresses)
    )
    for outcome in outcomes:
        if isinstance(outcome, ProbeResponse):
            return outcome
    reason = next(reason for reason in get_args(FailureReason) if reason in outcomes)
    raise ProbeError(reason, host, certificates, addresses)


def _recording_ssl_object(certificates: list[bytes | None]) -> type[ssl.SSLObject]:
    """Records the peer's certificate, which is lost if the peer refuses ours."""

    class RecordingSSLObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificates.append(self.getpeercert(binary_form=True))

    return RecordingSSLObject


async def resolve(host: str) -> list[str]:
    """The addresses of a name, resolved in a daemon thread.

    Raises:
        ProbeError: there are none, or not in time.
    """
    loop = asyncio.get_running_loop()
    addresses: list[str] = []
    done = asyncio.Event()

    def look_up() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses.extend(dict.fromkeys(str(info[4][0]) for info in infos))
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=look_up, name="self-check", daemon=True).start()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(done.wait(), TIMEOUT)
    if not addresses:
        raise ProbeError("name", host)
    return addresses


async def _exchange(
    address: str, port: int, tls: dict[str, Any], request: bytes, deadline: float
) -> ProbeResponse | FailureReason:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as connection:
        connection.setblocking(False)
        try:
            connecting = loop.sock_connect(connection, (address, port))
            await asyncio.wait_for(connecting, deadline - loop.time())
        except asyncio.TimeoutError:
            return "dropped"
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "no-route"
        try:
            opening = asyncio.open_connection(sock=connection, **tls)
            reader, writer = await asyncio.wait_for(opening, deadline - loop.time())
        except (OSError, asyncio.TimeoutError):
            return "tls"
        try:
            writer.write(request)
            return _parse(await asyncio.wait_for(_read(reader), deadline - loop.time()))
        except asyncio.TimeoutError:
            return "silent"
        except (OSError, HTTPInputError) as error:
            return "tls" if isinstance(error, ssl.SSLError) else "closed"
        finally:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    raw = b""
    while len(raw) < MAX_RESPONSE_SIZE and (more := await reader.read(65536)):
        raw += more
    return raw


def _parse(raw: bytes) -> ProbeResponse:
    head, _, body = raw.partition(b"\r\n\r\n")
    start_line, _, headers = head.decode("latin-1").partition("\r\n")
    status = parse_response_start_line(start_line).code
    return ProbeResponse(status, HTTPHeaders.parse(headers), body)
