"""One HTTP request, and where nothing comes of it, why."""

import asyncio
import contextlib
import http.client
import io
import socket
import ssl
import threading
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

#: Seconds for one request. A hub may give up on a service after ten.
TIMEOUT = 3.0

MAX_RESPONSE_SIZE = 1024 * 1024

FailureReason = Literal["url", "name", "tls", "silent", "closed", "refused", "dropped", "no-route"]

#: How the addresses of one name may fail. Of several reasons the first in this list is reported:
#: the further the exchange got, the more the reason says.
EXCHANGE_FAILURES: tuple[FailureReason, ...] = (
    "tls",
    "silent",
    "closed",
    "refused",
    "dropped",
    "no-route",
)

_REASON_MESSAGES: dict[FailureReason, str] = {
    "url": "it is not an http:// or https:// URL",
    "name": "the name {host} does not resolve",
    "tls": "TLS fails: its certificate is not one to trust here, or it has none",
    "silent": "it takes the connection, but sends no answer in {timeout:g} s",
    "closed": "it closes the connection without an answer",
    "refused": "connection refused",
    "dropped": "no connection in {timeout:g} s, as when a network policy drops it",
    "no-route": "no route leads there",
}


class ProbeError(Exception):
    """There was no response.

    Attributes:
        reason: the reason for programs, as the text is for people.
        certificates: those that the peer showed before it refused ours, if any.
        addresses: those that the name resolved to.
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


@dataclass(frozen=True)
class ProbeResponse:
    """A response of any status."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


async def get(
    url: str,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> ProbeResponse:
    """Make one GET request, in ``TIMEOUT`` seconds at most; redirects are not followed.

    HTTP clients do not tell a dropped connection from a silent server, and resolve names in
    threads that keep a process from ending. This one does neither.

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
    certificates: list[bytes] = []
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        context.sslobject_class = _recording_ssl_object(certificates)
        options = {"ssl": context, "server_hostname": host}
    head = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close", **(headers or {})}
    lines = [f"GET {parts.path or '/'} HTTP/1.0", *map(": ".join, head.items()), "", ""]
    request = "\r\n".join(lines).encode()
    attempts = [_exchange(address, port, options, request, deadline) for address in addresses]
    outcomes = await asyncio.gather(*attempts)
    failures: list[FailureReason] = []
    for outcome in outcomes:
        if isinstance(outcome, ProbeResponse):
            return outcome
        failures.append(outcome)
    reason = min(failures, key=EXCHANGE_FAILURES.index)
    raise ProbeError(reason, host, certificates, addresses)


def _recording_ssl_object(certificates: list[bytes]) -> type[ssl.SSLObject]:
    """Records the peer's certificate, which is gone once the peer refuses ours."""

    class RecordingSSLObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificates.append(self.getpeercert(binary_form=True) or b"")

    return RecordingSSLObject


async def resolve(host: str) -> list[str]:
    """The addresses of a name, resolved in a thread that does not keep the process from ending.

    Raises:
        ProbeError: there are none, or not in time.
    """
    loop = asyncio.get_running_loop()
    resolved: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str]) -> None:
        if not resolved.done():  # it has timed out
            resolved.set_result(addresses)

    def look_up() -> None:
        addresses: list[str] = []
        with contextlib.suppress(OSError, UnicodeError):
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(settle, addresses)

    threading.Thread(target=look_up, name="self-check", daemon=True).start()
    with contextlib.suppress(asyncio.TimeoutError):
        if addresses := await asyncio.wait_for(resolved, TIMEOUT):
            return addresses
    raise ProbeError("name", host)


async def _exchange(
    address: str, port: int, tls: dict[str, Any], request: bytes, deadline: float
) -> ProbeResponse | FailureReason:
    clock = asyncio.get_running_loop().time
    try:
        connecting = _connect(address, port)
        connection = await asyncio.wait_for(connecting, deadline - clock())
    except asyncio.TimeoutError:
        return "dropped"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "no-route"
    try:
        opening = asyncio.open_connection(sock=connection, **tls)
        reader, writer = await asyncio.wait_for(opening, deadline - clock())
    except (OSError, asyncio.TimeoutError):
        connection.close()
        return "tls"
    try:
        writer.write(request)
        return _parse(await asyncio.wait_for(_read(reader), deadline - clock()))
    except asyncio.TimeoutError:
        return "silent"
    except (OSError, http.client.HTTPException) as error:
        return "tls" if isinstance(error, ssl.SSLError) else "closed"
    finally:
        writer.transport.abort()


async def _connect(address: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _read(reader: asyncio.StreamReader) -> bytes:
    raw = b""
    while len(raw) < MAX_RESPONSE_SIZE and (more := await reader.read(65536)):
        raw += more
    return raw


class _BytesSocket:
    """The part of a socket that ``http.client`` uses."""

    def __init__(self, raw: bytes) -> None:
        self.makefile = lambda mode: io.BytesIO(raw)


def _parse(raw: bytes) -> ProbeResponse:
    # it asks for no more of a socket
    response = http.client.HTTPResponse(_BytesSocket(raw))  # type: ignore[arg-type]
    response.begin()
    return ProbeResponse(response.status, response.headers, response.read())
