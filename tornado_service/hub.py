"""The Hub's REST API: every call of it goes through here."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import make_ssl_context, url_path_join
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.web import HTTPError
from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from .breaker import Breaker

if TYPE_CHECKING:
    from .metrics import Metrics


class HubUnavailable(HTTPError):
    """The hub gave no usable answer in time: 503, try again later.

    ``detail`` is for the log; visitors read only that the hub does not answer.
    """

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(503, "JupyterHub does not answer at the moment. Try again shortly.")
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True)
class HubAnswer:
    """What the hub said: a status below 500 that is no redirect, and the JSON that came with it.

    A refusal (4xx) may come without JSON; then that is ``None``.
    """

    status: int
    json: Any


class HubClient(LoggingConfigurable):
    """Calls the Hub's REST API: asynchronous, bounded in time, number and size."""

    api_url = Unicode(help="The base URL of the Hub's REST API. Set by the application.")
    api_token = Unicode(help="The service's own token. Set by the application.")

    hub_timeout = Float(
        5.0,
        help="""Seconds that a call of the Hub's REST API may take, waiting for its turn included.
        Default: 5.""",
        min=0.1,
    ).tag(config=True)

    hub_concurrency = Integer(
        10,
        help="How many calls of the Hub's REST API may be under way at once. Default: 10.",
        min=1,
    ).tag(config=True)

    hub_queue = Integer(
        200,
        help="""How many calls may wait for their turn; for more the answer is 503 at once.
        Default: 200.""",
        min=0,
    ).tag(config=True)

    breaker_failures = Integer(
        5,
        help="""After how many calls in a row without a usable answer nobody waits for the hub any
        more. Default: 5.""",
        min=1,
    ).tag(config=True)

    breaker_pause = Float(
        5.0,
        help="Seconds between looks whether the hub is back. Default: 5.",
        min=0.1,
    ).tag(config=True)

    max_answer = 8 * 1024 * 1024  # bytes; the largest page of users that a hub sends is ~2 MiB

    def __init__(self, metrics: Metrics, tls_files: tuple[str, str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metrics = metrics
        self.breaker = Breaker(self.breaker_failures, self.breaker_pause, self._look, self.log)
        metrics.show_breaker(lambda: float(self.breaker.is_open))
        self._tls_files = tls_files
        self._client: AsyncHTTPClient | None = None
        self._places = asyncio.Semaphore(self.hub_concurrency)
        self._waiting = 0
        self._last_answer = -inf  # on the monotonic clock
        self._checking: asyncio.Task[str] | None = None
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
                max_clients=self.hub_concurrency + 1,  # one more for the breaker's trial
                max_body_size=self.max_answer,
                defaults={
                    "connect_timeout": self.hub_timeout,
                    "request_timeout": self.hub_timeout,
                    "follow_redirects": False,
                    "decompress_response": False,
                    "ssl_options": self._tls(),
                },
            )
        return self._client

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes | None = None,
    ) -> HubAnswer:
        """Make one call.

        Args:
            method: the HTTP method.
            url: the whole URL, below ``api_url``.
            headers: the request's headers, ``Authorization`` among them.
            body: the request's body, if any.

        Returns:
            The hub's answer, which may be a refusal (4xx).

        Raises:
            HubUnavailable: there was no answer in time, or one that is none (5xx, a redirect,
                anything but JSON); or it was not asked, as it has not answered for a while.
        """
        if self.breaker.is_open:
            raise HubUnavailable("it has not answered for a while", ceil(self.breaker_pause))
        request = HTTPRequest(
            url, method=method, headers=headers, body=body, allow_nonstandard_methods=True
        )
        await self._wait_for_a_place()
        try:
            return await self._call(request)
        finally:
            self._places.release()

    async def _wait_for_a_place(self) -> None:
        if self._places.locked() and self._waiting >= self.hub_queue:
            self.metrics.observe_hub("full", 0)
            raise HubUnavailable(f"{self._waiting} calls are waiting for it", 1)
        self._waiting += 1
        try:
            # half of the time, so that the call itself has a fair chance
            await asyncio.wait_for(self._places.acquire(), self.hub_timeout / 2)
        except asyncio.TimeoutError:
            self.metrics.observe_hub("full", 0)
            raise HubUnavailable("too many calls are under way", 1) from None
        finally:
            self._waiting -= 1

    async def _call(self, request: HTTPRequest) -> HubAnswer:
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await self._fetch(request)
            outcome = "ok" if answer.status < 400 else "refused"
            self.breaker.succeeded()
            self._last_answer = time.monotonic()
            return answer
        except HubUnavailable as error:
            if not self._is_leaving:
                self.breaker.failed(error.detail)
            raise
        finally:
            self.metrics.observe_hub(outcome, time.perf_counter() - started)

    async def _fetch(self, request: HTTPRequest) -> HubAnswer:
        limit = self.hub_timeout / 2 if self._waiting else self.hub_timeout
        fetching = asyncio.ensure_future(self._http().fetch(request, raise_error=False))
        self._fetching.add(fetching)
        fetching.add_done_callback(self._fetching.discard)
        try:
            response = await asyncio.wait_for(fetching, limit)
        except asyncio.TimeoutError:
            raise HubUnavailable(f"no answer in {limit:g} s") from None
        except asyncio.CancelledError:
            if not self._is_leaving:
                raise
            raise HubUnavailable("the service is being stopped") from None
        except Exception as error:
            # whatever goes wrong between us and the hub, it is not the visitor's fault
            raise HubUnavailable(f"{type(error).__name__}: {error}") from error
        if response.code >= 500 or 300 <= response.code < 400 or response.code < 200:
            raise HubUnavailable(f"it answered {response.code}")
        return HubAnswer(response.code, _parsed(response.code, response.body))

    async def _look(self) -> None:
        """The breaker's trial: a call that the hub cannot answer without its database."""
        await self._fetch(
            HTTPRequest(
                url_path_join(self.api_url, "user"),
                headers={"Authorization": f"token {self.api_token}"},
            )
        )

    def leave(self) -> None:
        """Wait for no answer any more, as the service is being stopped."""
        self._is_leaving = True
        for fetching in list(self._fetching):
            fetching.cancel()

    async def check(self, recent: float = 0) -> None:
        """See that the hub answers; one call, however many ask at the same time.

        Args:
            recent: seconds for which an earlier answer is good enough.

        Raises:
            HubUnavailable: it does not.
        """
        if self.breaker.is_well and time.monotonic() - self._last_answer < recent:
            return
        if self._checking is None or self._checking.done():
            self._checking = asyncio.get_running_loop().create_task(self.version())
            self._checking.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._checking)

    async def version(self) -> str:
        """The hub's version. Needs no scope.

        Raises:
            HubUnavailable: the hub does not answer, or what answers is no hub.
        """
        answer = await self.request("GET", url_path_join(self.api_url, "") + "/", headers={})
        model = answer.json
        if answer.status != 200 or not isinstance(model, dict) or "version" not in model:
            raise HubUnavailable(f"what answers at {self.api_url} is not a Hub API")
        return str(model["version"])

    def close(self) -> None:
        """Drop the connections that are open."""
        self.breaker.close()
        if self._checking is not None:
            self._checking.cancel()
        if self._client is not None:
            self._client.close()
            self._client = None


def _parsed(status: int, body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError as error:
        if status >= 400:
            return None
        raise HubUnavailable("what it answered is not JSON") from error
