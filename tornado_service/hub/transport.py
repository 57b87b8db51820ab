"""One call of the Hub's REST API: bounded in time, number and size."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import ceil, inf
from typing import Any, Protocol

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPTimeoutError

from ..network import TLSFiles
from ..telemetry.metrics import Metrics
from ..telemetry.redaction import redact_text
from .circuit_breaker import CircuitBreaker
from .errors import HubResponseTooLarge, HubUnavailable
from .http import BoundedHTTPClient

__all__ = ["HubResponse", "HubTransport", "HubUnavailable"]

#: Statuses of a hub, or of a proxy before it, after which a retry may succeed.
TRANSIENT = frozenset({429, 502, 503, 504})

#: Seconds; the maximum for the hub's ``Retry-After``.
MAX_RETRY_AFTER = 60


@dataclass(frozen=True)
class HubResponse:
    """The hub's response: a status below 500, without redirects and 429.

    Attributes:
        status: the HTTP status.
        json: the JSON body; ``None`` for a refusal (4xx) without one.
        date: its time, by the hub's clock (whole seconds since 1970); by ours if it has none.
        size: bytes of the response's body.
    """

    status: int
    json: Any
    date: int
    size: int = 0


class HubFetch(Protocol):
    """GET of the Hub's REST API with a token."""

    def __call__(self, path: str, scope: str, **query: str) -> Awaitable[HubResponse]:
        """Fetch a path; the error names ``scope`` if the token lacks it.

        Raises:
            HubRefused: the token lacks the scope.
            HubUnavailable: the hub does not respond.
        """


class HubTransport:
    """Calls the hub: ``concurrency`` concurrent calls, ``queue`` more wait, others are refused.

    Args:
        timeout: seconds that a call may take, including the wait for a free slot.
    """

    def __init__(
        self,
        *,
        timeout: float,
        concurrency: int,
        queue: int,
        tls: TLSFiles,
        breaker: CircuitBreaker,
        metrics: Metrics,
        log: logging.Logger,
    ) -> None:
        self.timeout = timeout
        self.last_response_at = -inf  # on the monotonic clock
        self._concurrency = concurrency
        self._queue = queue
        self._tls_context = tls
        self._breaker = breaker
        self._metrics = metrics
        self._log = log
        self._client: BoundedHTTPClient | None = None
        self._slots = asyncio.Semaphore(concurrency)
        self._waiting = 0
        self._is_full = False
        self._pending: set[asyncio.Future[HTTPResponse]] = set()
        self._is_aborting = False

    def _http_client(self) -> BoundedHTTPClient:
        if self._client is None:
            self._client = BoundedHTTPClient(
                force_instance=True,
                max_clients=self._concurrency + 1,  # one more for the breaker's probe
                defaults={
                    "follow_redirects": False,
                    "decompress_response": False,
                    "ssl_options": self._tls_context.client_context(),
                },
            )
        return self._client

    async def request(self, request: HTTPRequest, limit: float | None = None) -> HubResponse:
        """Make one call.

        Raises:
            HubResponseTooLarge: the response exceeds our limit.
            HubUnavailable: there is no usable response in time.
        """
        if self._breaker.is_open:
            pause = ceil(self._breaker.retry_interval)
            raise HubUnavailable("it has not responded for a while", pause, is_logged=True)
        limit = self.timeout if limit is None else limit
        deadline = time.monotonic() + limit
        # half of the time, so that enough is left for the call itself
        await self._acquire_slot(limit / 2)
        try:
            return await self._call(request, deadline)
        finally:
            self._slots.release()

    async def _acquire_slot(self, limit: float) -> None:
        if not self._slots.locked():
            self._is_full = False
        elif self._waiting >= self._queue:
            raise self._reject_full(f"{self._waiting} calls are waiting for it")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._slots.acquire(), limit)
        except asyncio.TimeoutError:
            raise self._reject_full("too many calls are under way") from None
        finally:
            self._waiting -= 1

    def _reject_full(self, detail: str) -> HubUnavailable:
        """Count a rejected call; log the first one, unless the hub is unavailable."""
        self._metrics.observe_hub("full", 0)
        if not self._is_full and self._breaker.is_healthy:
            self._log.warning("Calls of the Hub API are refused, as it is slow: %s", detail)
        self._is_full = True
        return HubUnavailable(detail, 1, is_logged=True)

    async def _call(self, request: HTTPRequest, deadline: float) -> HubResponse:
        started = time.perf_counter()
        outcome = "failed"
        try:
            response = await self.fetch(request, deadline)
            outcome = "ok" if response.status < 400 else "refused"
            self._record_response()
            return response
        except HubResponseTooLarge:
            outcome = "too_large"
            self._record_response()
            raise
        except HubUnavailable as error:
            if not self._is_aborting:
                self._breaker.record_failure(error.detail)
            error.is_logged = True
            raise
        finally:
            self._metrics.observe_hub(outcome, time.perf_counter() - started)

    def _record_response(self) -> None:
        self._breaker.record_success()
        self.last_response_at = time.monotonic()

    async def fetch(self, request: HTTPRequest, deadline: float = inf) -> HubResponse:
        """Make a call past the breaker, without counting it: for its probe.

        Raises:
            HubUnavailable: as ``request`` does.
        """
        limit = self.timeout / 2 if self._waiting else self.timeout
        limit = max(min(limit, deadline - time.monotonic()), 0.001)  # 0 means no limit
        request.connect_timeout = request.request_timeout = limit
        fetching = asyncio.ensure_future(self._http_client().fetch(request, raise_error=False))
        self._pending.add(fetching)
        fetching.add_done_callback(self._pending.discard)
        try:
            response = await fetching
        except HTTPTimeoutError:
            raise HubUnavailable(f"no response in {limit:.1f} s", is_transient=True) from None
        except asyncio.CancelledError:
            if not self._is_aborting:
                raise
            raise HubUnavailable("the service is being stopped") from None
        except HubUnavailable:
            raise
        except Exception as error:
            # an error between us and the hub is not the user's fault
            detail = redact_text(f"{type(error).__name__}: {error}")
            raise HubUnavailable(detail, is_transient=True) from error
        return _parse_response(response)

    def abort_pending(self) -> None:
        """Abort pending calls, as the service is being stopped."""
        self._is_aborting = True
        for fetching in list(self._pending):
            fetching.cancel()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _parse_response(response: HTTPResponse) -> HubResponse:
    status = response.code
    if status in TRANSIENT:
        retry_after = _parse_retry_after(response.headers)
        # too many calls: only the hub knows when to retry
        is_transient = status != 429 or retry_after > 0
        raise HubUnavailable(
            f"it returned {status}", is_transient=is_transient, hub_retry_after=retry_after
        )
    if status >= 500 or 300 <= status < 400 or status < 200:
        raise HubUnavailable(f"it returned {status}")
    body = response.body
    return HubResponse(status, _parse_json(status, body), _parse_date(response.headers), len(body))


def _parse_json(status: int, body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        if status >= 400:
            return None
        raise HubUnavailable("its response is not JSON") from error


def _parse_retry_after(headers: HTTPHeaders) -> int:
    """Seconds, https://www.rfc-editor.org/rfc/rfc9110#name-retry-after; 0 without the header."""
    value = headers.get("Retry-After", "")
    is_number = value.isascii() and value.isdigit() and len(value) < 10
    return min(int(value), MAX_RETRY_AFTER) if is_number else 0


def _parse_date(headers: HTTPHeaders) -> int:
    try:
        return int(parsedate_to_datetime(headers.get("Date", "")).timestamp())
    except (TypeError, ValueError):
        return int(time.time())
