"""The client of the Hub's REST API; all calls use it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from math import inf
from typing import Any

from jupyterhub.utils import url_path_join
from tornado.httpclient import HTTPRequest
from tornado.httputil import url_concat
from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

from ..network import TLSFiles
from ..telemetry.metrics import Metrics
from .calls import HubCalls, HubRefused
from .circuit_breaker import CircuitBreaker
from .errors import HubResponseTooLarge, HubUnavailable
from .transport import HubResponse, HubTransport

__all__ = ["HubCalls", "HubClient", "HubRefused", "HubResponse", "HubUnavailable"]

#: Seconds for which calls that need a missing scope of the service's token are not retried, as the
#: hub logs a warning each time.
REFUSED_SCOPE_MAX_AGE = 60

#: Average seconds before each retry.
RETRY_DELAYS = (0.1, 0.4)

#: Seconds for which ``health/ready`` caches its response, as the endpoint is public.
READY_MAX_AGE = 5.0

#: Paginated lists, https://jupyterhub.readthedocs.io/en/stable/reference/rest.html
ACCEPT_HEADER = "application/jupyterhub-pagination+json"


class HubClient(HubCalls, LoggingConfigurable):
    """Calls the Hub's REST API: asynchronous, bounded in time, number and size.

    Its calls use the service's own token; ``as_caller`` uses that of a user.
    """

    api_url = Unicode(help="The base URL of the Hub's REST API. Set by the application.")
    api_token = Unicode(help="The service's own token. Set by the application.")

    hub_timeout = Float(
        5.0,
        help="""Timeout in seconds of a call of the Hub API, including the time in the queue.
        Default: 5.""",
        min=0.1,
    ).tag(config=True)

    hub_concurrency = Integer(
        10,
        help="Maximum number of concurrent calls of the Hub API. Default: 10.",
        min=1,
    ).tag(config=True)

    hub_queue = Integer(
        200,
        help="""Maximum number of calls in the queue; beyond it, the response is 503 at once.
        Default: 200.""",
        min=0,
    ).tag(config=True)

    breaker_failures = Integer(
        5,
        help="Consecutive failed calls after which the circuit breaker opens. Default: 5.",
        min=1,
    ).tag(config=True)

    breaker_pause = Float(
        5.0,
        help="Seconds between checks for recovery while the breaker is open. Default: 5.",
        min=0.1,
    ).tag(config=True)

    def __init__(self, metrics: Metrics, tls: TLSFiles, **kwargs: Any) -> None:
        LoggingConfigurable.__init__(self, **kwargs)
        HubCalls.__init__(self, self._fetch_as_service)
        self.tls = tls
        self._refused_scopes: dict[str, float] = {}
        self.metrics = metrics
        self.breaker = CircuitBreaker(
            self.breaker_failures, self.breaker_pause, self._probe, self.log
        )
        metrics.show_breaker(lambda: float(self.breaker.is_open))
        self._transport = HubTransport(
            timeout=self.hub_timeout,
            concurrency=self.hub_concurrency,
            queue=self.hub_queue,
            tls=tls,
            breaker=self.breaker,
            metrics=metrics,
            log=self.log,
        )
        self._check_task: asyncio.Task[str] | None = None
        self._ready_checked_at = -inf  # on the monotonic clock
        self._logged: set[str] = set()
        self._problem = ""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes | None = None,
        limit: float | None = None,
    ) -> HubResponse:
        """Make one call.

        Returns:
            The hub's response, which may be a refusal (4xx).

        Raises:
            HubResponseTooLarge: the response exceeds our limit.
            HubUnavailable: there was no valid response in time (5xx, 429, redirects and other types
                than JSON are invalid), or the circuit breaker is open.
        """
        request = HTTPRequest(
            url, method=method, headers=headers, body=body, allow_nonstandard_methods=True
        )
        return await self._transport.request(request, limit)

    def use_token(self, token: str) -> None:
        """Use a new token of the service; what was refused is tried again."""
        self.api_token = token
        self._refused_scopes.clear()
        self._logged.clear()

    def as_caller(
        self,
        token: str,
        on_token_rejected: Callable[[], None],
        scopes: Collection[str] | None = None,
    ) -> HubCalls:
        """The Hub API with a user's token.

        Args:
            token: the user's token. It is stored no longer than the result.
            on_token_rejected: called when the token is no longer valid.
            scopes: those of the token, if they are known: calls that they rule out are not sent, as
                the hub logs a warning for each request that it refuses.
        """

        async def fetch(path: str, scope: str, **query: str) -> HubResponse:
            response = await self._get(path, token, query)
            if _is_unknown_token(response):
                on_token_rejected()
                raise HubRefused(401, scope)
            if response.status == 403:
                raise HubRefused(403, scope)
            return response

        return HubCalls(fetch, scopes, self._page_sizes)

    async def _fetch_as_service(self, path: str, scope: str, **query: str) -> HubResponse:
        refused = self._refused_scopes.get(scope)
        if refused is not None and time.monotonic() - refused < REFUSED_SCOPE_MAX_AGE:
            raise HubRefused(503, scope)
        response = await self._get(path, self.api_token, query)
        if _is_unknown_token(response):
            self._log_once("the service's token is invalid; run tornado-service doctor")
            raise HubRefused(503, scope)
        if response.status == 403:
            self._log_once(
                f"the service's own token lacks the scope {scope}. Grant it by a role of the"
                " service; tornado-service doctor writes that role for what the service_scopes of"
                " an app name"
            )
            self._refused_scopes[scope] = time.monotonic()
            raise HubRefused(503, scope)
        return response

    def _log_once(self, reason: str) -> None:
        if reason not in self._logged:
            self._logged.add(reason)
            self.log.error("The hub refused a request of an app: %s.", reason)

    async def _get(self, path: str, token: str, query: dict[str, str]) -> HubResponse:
        """GET, retried on transient failures, within the time of one call.

        Raises:
            HubUnavailable: no usable response.
        """
        url = url_concat(url_path_join(self.api_url, path), query)
        headers = {"Authorization": f"token {token}", "Accept": ACCEPT_HEADER}
        deadline = time.monotonic() + self.hub_timeout
        response = await self._get_with_retries(url, headers, deadline)
        if response.status not in (200, 401, 403, 404):
            raise HubUnavailable(f"it returned {response.status} for GET {path}")
        return response

    async def _get_with_retries(
        self, url: str, headers: dict[str, str], deadline: float
    ) -> HubResponse:
        delays = iter(RETRY_DELAYS)
        while True:
            try:
                limit = deadline - time.monotonic()
                return await self.request("GET", url, headers=headers, limit=limit)
            except HubUnavailable as error:
                # the delay is no secret
                delay = next(delays, inf) * random.uniform(0.5, 1.5)  # noqa: S311
                delay = max(delay, error.hub_retry_after)
                # leave enough time for the retry
                has_time = time.monotonic() + delay < deadline - self.hub_timeout / 2
                if not error.is_transient or not has_time:
                    raise
            self.metrics.hub_retries.inc()
            await asyncio.sleep(delay)

    async def _probe(self) -> None:
        """The breaker's probe: a call for which the hub reads its database."""
        headers = {"Authorization": f"token {self.api_token}"}
        with suppress(HubResponseTooLarge):  # the hub responds
            await self._transport.fetch(
                HTTPRequest(url_path_join(self.api_url, "user"), headers=headers)
            )

    def abort_pending(self) -> None:
        self._transport.abort_pending()

    async def check(self, max_age: float = 0) -> None:
        """Check that the hub responds; concurrent requests share one call.

        Args:
            max_age: seconds for which an earlier response is sufficient.

        Raises:
            HubUnavailable: it does not respond.
        """
        if (
            self.breaker.is_healthy
            and time.monotonic() - self._transport.last_response_at < max_age
        ):
            return
        if self._check_task is None or self._check_task.done():
            self._check_task = asyncio.get_running_loop().create_task(self.version())
            self._check_task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._check_task)

    async def is_ready(self) -> bool:
        """Whether the hub has responded within ``READY_MAX_AGE``; if not, the reason is logged."""
        if time.monotonic() - self._ready_checked_at < READY_MAX_AGE:
            return not self._problem
        try:
            await self.check()
        except HubUnavailable as error:
            if error.detail != self._problem:
                error.log_reason(self.log, "health/ready")
            self._problem = error.detail
        else:
            self._problem = ""
        self._ready_checked_at = time.monotonic()
        return not self._problem

    async def version(self) -> str:
        """The hub's version. Needs no scope.

        Raises:
            HubUnavailable: the hub does not respond, or the server is not a hub.
        """
        response = await self.request("GET", url_path_join(self.api_url, "") + "/", headers={})
        model = response.json
        if response.status != 200 or not isinstance(model, dict) or "version" not in model:
            raise HubUnavailable(f"the server at {self.api_url} is not a Hub API")
        return str(model["version"])

    def close(self) -> None:
        self.breaker.close()
        if self._check_task is not None:
            self._check_task.cancel()
        self._transport.close()


def _is_unknown_token(response: HubResponse) -> bool:
    """Whether the token is invalid for the hub, whose 403 may also mean a missing scope."""
    if response.status == 403 and isinstance(response.json, dict):
        return "credentials" in str(response.json.get("message"))
    return response.status == 401
