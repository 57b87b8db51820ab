"""One call of the Hub's REST API: bounded in time, number and size."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import make_ssl_context
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.web import HTTPError

if TYPE_CHECKING:
    from tornado.httputil import HTTPHeaders

    from .breaker import Breaker
    from .metrics import Metrics

#: Bytes of an answer; the largest page of users that a hub sends is ~2 MiB.
MAX_ANSWER = 8 * 1024 * 1024

#: Statuses of a hub, or of what is before it, that may be well in a moment.
PASSING = frozenset({429, 502, 503, 504})

#: Seconds; whatever a ``Retry-After`` says, nobody is told to wait for longer.
LONGEST_WAIT = 60


class HubUnavailable(HTTPError):
    """The hub gave no usable answer in time: 503, try again later.

    Attributes:
        detail: for the log; visitors read only that the hub does not answer.
        retry_after: seconds after which to try again.
        is_passing: whether the same call may be answered in a moment, so that a program may repeat
            what changes nothing.
        pause: seconds for which the hub asked not to be called.
    """

    def __init__(
        self, detail: str, retry_after: int = 5, *, is_passing: bool = False, pause: int = 0
    ) -> None:
        super().__init__(503, "JupyterHub does not answer at the moment. Try again shortly.")
        self.detail = detail
        self.retry_after = max(retry_after, pause)
        self.is_passing = is_passing
        self.pause = pause


@dataclass(frozen=True)
class HubAnswer:
    """What the hub said: a status below 500 that is no redirect and not 429.

    Attributes:
        status: the HTTP status.
        json: the JSON that came with it; ``None`` for a refusal (4xx) without.
        date: when, by the hub's clock (whole seconds since 1970); by ours if it did not say.
    """

    status: int
    json: Any
    date: int


class HubTransport:
    """Calls the hub, a bounded number at a time; the others wait for their turn, or are refused.

    Args:
        timeout: seconds that a call may take, waiting for its turn included.
        concurrency: how many calls may be under way.
        queue: how many may wait.
        tls_files: key, certificate and authority of the hub's ``internal_ssl``, or empty texts.
        breaker: refuses calls while the hub does not answer.
        metrics: counts calls.
    """

    def __init__(
        self,
        *,
        timeout: float,
        concurrency: int,
        queue: int,
        tls_files: tuple[str, str, str],
        breaker: Breaker,
        metrics: Metrics,
    ) -> None:
        self.timeout = timeout
        self.last_answer = -inf  # on the monotonic clock
        self._concurrency = concurrency
        self._queue = queue
        self._tls_files = tls_files
        self._breaker = breaker
        self._metrics = metrics
        self._client: AsyncHTTPClient | None = None
        self._places = asyncio.Semaphore(concurrency)
        self._waiting = 0
        self._fetching: set[asyncio.Future[HTTPResponse]] = set()
        self._is_leaving = False

    def _tls(self) -> ssl.SSLContext | None:
        """What the hub's ``internal_ssl`` asks of its clients, where it is on."""
        keyfile, certfile, client_ca = self._tls_files
        return make_ssl_context(keyfile, certfile, cafile=client_ca) if certfile else None

    def _http(self) -> AsyncHTTPClient:
        """The one client, made when the loop runs."""
        if self._client is None:
            self._client = AsyncHTTPClient(
                force_instance=True,
                max_clients=self._concurrency + 1,  # one more for the breaker's trial
                max_body_size=MAX_ANSWER,
                defaults={
                    "connect_timeout": self.timeout,
                    "request_timeout": self.timeout,
                    "follow_redirects": False,
                    "decompress_response": False,
                    "ssl_options": self._tls(),
                },
            )
        return self._client

    async def request(self, request: HTTPRequest, limit: float | None = None) -> HubAnswer:
        """Make one call.

        Args:
            request: what to send.
            limit: seconds that it may take; by default ``timeout``.

        Raises:
            HubUnavailable: there was no answer in time, or none that can be used.
        """
        if self._breaker.is_open:
            raise HubUnavailable("it has not answered for a while", ceil(self._breaker.pause))
        limit = self.timeout if limit is None else limit
        deadline = time.monotonic() + limit
        # half of the time, so that the call itself has a fair chance
        await self._wait_for_a_place(limit / 2)
        try:
            return await self._call(request, deadline)
        finally:
            self._places.release()

    async def _wait_for_a_place(self, limit: float) -> None:
        if self._places.locked() and self._waiting >= self._queue:
            self._metrics.observe_hub("full", 0)
            raise HubUnavailable(f"{self._waiting} calls are waiting for it", 1)
        self._waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), limit)
        except asyncio.TimeoutError:
            self._metrics.observe_hub("full", 0)
            raise HubUnavailable("too many calls are under way", 1) from None
        finally:
            self._waiting -= 1

    async def _call(self, request: HTTPRequest, deadline: float) -> HubAnswer:
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await self.fetch(request, deadline)
            outcome = "ok" if answer.status < 400 else "refused"
            self._breaker.succeeded()
            self.last_answer = time.monotonic()
            return answer
        except HubUnavailable as error:
            if not self._is_leaving:
                self._breaker.failed(error.detail)
            raise
        finally:
            self._metrics.observe_hub(outcome, time.perf_counter() - started)

    async def fetch(self, request: HTTPRequest, deadline: float = inf) -> HubAnswer:
        """Ask, whatever the breaker says, and count nothing: for its own trial.

        Raises:
            HubUnavailable: as ``request`` does.
        """
        limit = self.timeout / 2 if self._waiting else self.timeout
        limit = max(min(limit, deadline - time.monotonic()), 0)
        fetching = asyncio.ensure_future(self._http().fetch(request, raise_error=False))
        self._fetching.add(fetching)
        fetching.add_done_callback(self._fetching.discard)
        try:
            response = await asyncio.wait_for(fetching, limit)
        except asyncio.TimeoutError:
            raise HubUnavailable(f"no answer in {limit:.1f} s", is_passing=True) from None
        except asyncio.CancelledError:
            if not self._is_leaving:
                raise
            raise HubUnavailable("the service is being stopped") from None
        except Exception as error:
            # whatever goes wrong between us and the hub, it is not the visitor's fault
            detail = f"{type(error).__name__}: {error}"
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
    return HubAnswer(status, _parsed(status, response.body), _date(response.headers))


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
