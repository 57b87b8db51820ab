"""One call of the Hub's REST API: bounded in time, number and size."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Protocol

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import HTTPTimeoutError

from ..telemetry.redaction import scrub
from .errors import HubResponseTooLarge, HubUnavailable
from .http import BoundedHTTPClient

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tornado.httputil import HTTPHeaders

    from ..network import TLSFiles
    from ..telemetry.metrics import Metrics
    from .circuit_breaker import Breaker

__all__ = ["HubAnswer", "HubTransport", "HubUnavailable"]

#: Statuses of a hub, or of what is before it, that may be well in a moment.
PASSING = frozenset({429, 502, 503, 504})

#: Seconds; whatever a ``Retry-After`` says, nobody is told to wait for longer.
LONGEST_WAIT = 60


@dataclass(frozen=True)
class HubAnswer:
    """What the hub said: a status below 500 that is no redirect and not 429.

    Attributes:
        status: the HTTP status.
        json: the JSON that came with it; ``None`` for a refusal (4xx) without.
        date: when, by the hub's clock (whole seconds since 1970); by ours if it did not say.
        size: bytes of the response's body.
    """

    status: int
    json: Any
    date: int
    size: int = 0


class Ask(Protocol):
    """GET of the Hub's REST API with some token."""

    def __call__(self, path: str, scope: str, **query: str) -> Awaitable[HubAnswer]:
        """Ask.

        Args:
            path: below the API's address.
            scope: what the token needs for it, to be named in a refusal.
            query: of the URL.

        Raises:
            HubRefused: the token may not.
            HubUnavailable: the hub does not answer.
        """


class HubTransport:
    """Calls the hub, a bounded number at a time; the others wait for their turn, or are refused.

    Args:
        timeout: seconds that a call may take, waiting for its turn included.
        concurrency: how many calls may be under way.
        queue: how many may wait.
        tls: files of the hub's ``internal_ssl``.
        breaker: refuses calls while the hub does not answer.
        metrics: counts calls.
        log: gets one line when calls are refused because too many wait.
    """

    def __init__(
        self,
        *,
        timeout: float,
        concurrency: int,
        queue: int,
        tls: TLSFiles,
        breaker: Breaker,
        metrics: Metrics,
        log: logging.Logger,
    ) -> None:
        self.timeout = timeout
        self.last_answer = -inf  # on the monotonic clock
        self._concurrency = concurrency
        self._queue = queue
        self._tls = tls
        self._breaker = breaker
        self._metrics = metrics
        self._log = log
        self._client: BoundedHTTPClient | None = None
        self._places = asyncio.Semaphore(concurrency)
        self._waiting = 0
        self._is_full = False
        self._fetching: set[asyncio.Future[HTTPResponse]] = set()
        self._is_leaving = False

    def _http(self) -> BoundedHTTPClient:
        """The one client, made when the loop runs."""
        if self._client is None:
            self._client = BoundedHTTPClient(
                force_instance=True,
                max_clients=self._concurrency + 1,  # one more for the breaker's trial
                defaults={
                    "follow_redirects": False,
                    "decompress_response": False,
                    "ssl_options": self._tls.client_context(),
                },
            )
        return self._client

    async def request(self, request: HTTPRequest, limit: float | None = None) -> HubAnswer:
        """Make one call.

        Args:
            request: what to send.
            limit: seconds that it may take; by default ``timeout``.

        Raises:
            HubResponseTooLarge: there was one, of more bytes than we read.
            HubUnavailable: there was no answer in time, or none that can be used.
        """
        if self._breaker.is_open:
            pause = ceil(self._breaker.pause)
            raise HubUnavailable("it has not answered for a while", pause, is_logged=True)
        limit = self.timeout if limit is None else limit
        deadline = time.monotonic() + limit
        # half of the time, so that the call itself has a fair chance
        await self._wait_for_a_place(limit / 2)
        try:
            return await self._call(request, deadline)
        finally:
            self._places.release()

    async def _wait_for_a_place(self, limit: float) -> None:
        if not self._places.locked():
            self._is_full = False
        elif self._waiting >= self._queue:
            raise self._full(f"{self._waiting} calls are waiting for it")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), limit)
        except asyncio.TimeoutError:
            raise self._full("too many calls are under way") from None
        finally:
            self._waiting -= 1

    def _full(self, detail: str) -> HubUnavailable:
        """Count a call that is not made, and log when that begins, unless the hub is away."""
        self._metrics.observe_hub("full", 0)
        if not self._is_full and self._breaker.is_well:
            self._log.warning("Calls of the Hub API are refused, as it is slow: %s", detail)
        self._is_full = True
        return HubUnavailable(detail, 1, is_logged=True)

    async def _call(self, request: HTTPRequest, deadline: float) -> HubAnswer:
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await self.fetch(request, deadline)
            outcome = "ok" if answer.status < 400 else "refused"
            self._answered()
            return answer
        except HubResponseTooLarge:
            outcome = "too_large"
            self._answered()
            raise
        except HubUnavailable as error:
            if not self._is_leaving:
                self._breaker.failed(error.detail)
            error.is_logged = True
            raise
        finally:
            self._metrics.observe_hub(outcome, time.perf_counter() - started)

    def _answered(self) -> None:
        self._breaker.succeeded()
        self.last_answer = time.monotonic()

    async def fetch(self, request: HTTPRequest, deadline: float = inf) -> HubAnswer:
        """Ask, whatever the breaker says, and count nothing: for its own trial.

        Raises:
            HubUnavailable: as ``request`` does.
        """
        limit = self.timeout / 2 if self._waiting else self.timeout
        limit = max(min(limit, deadline - time.monotonic()), 0.001)  # 0 is no limit
        request.connect_timeout = request.request_timeout = limit
        fetching = asyncio.ensure_future(self._http().fetch(request, raise_error=False))
        self._fetching.add(fetching)
        fetching.add_done_callback(self._fetching.discard)
        try:
            response = await fetching
        except HTTPTimeoutError:
            raise HubUnavailable(f"no answer in {limit:.1f} s", is_passing=True) from None
        except asyncio.CancelledError:
            if not self._is_leaving:
                raise
            raise HubUnavailable("the service is being stopped") from None
        except HubUnavailable:
            raise
        except Exception as error:
            # whatever goes wrong between us and the hub, it is not the visitor's fault
            detail = scrub(f"{type(error).__name__}: {error}")
            raise HubUnavailable(detail, is_passing=True) from error
        return _answer(response)

    def leave(self) -> None:
        """Wait for no answer any more, as the service is being stopped."""
        self._is_leaving = True
        for fetching in list(self._fetching):
            fetching.cancel()

    def close(self) -> None:
        """Drop the connections that are open."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _answer(response: HTTPResponse) -> HubAnswer:
    status = response.code
    if status in PASSING:
        pause = _pause(response.headers)
        # too many calls: only the hub knows when they are few again
        is_passing = status != 429 or pause > 0
        raise HubUnavailable(f"it answered {status}", is_passing=is_passing, pause=pause)
    if status >= 500 or 300 <= status < 400 or status < 200:
        raise HubUnavailable(f"it answered {status}")
    body = response.body
    return HubAnswer(status, _parsed(status, body), _date(response.headers), len(body))


def _parsed(status: int, body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        if status >= 400:
            return None
        raise HubUnavailable("what it answered is not JSON") from error


def _pause(headers: HTTPHeaders) -> int:
    """Seconds, https://www.rfc-editor.org/rfc/rfc9110#name-retry-after; 0 if it names none."""
    value = headers.get("Retry-After", "")
    is_number = value.isascii() and value.isdigit() and len(value) < 10
    return min(int(value), LONGEST_WAIT) if is_number else 0


def _date(headers: HTTPHeaders) -> int:
    try:
        return int(parsedate_to_datetime(headers.get("Date", "")).timestamp())
    except (TypeError, ValueError):
        return int(time.time())
