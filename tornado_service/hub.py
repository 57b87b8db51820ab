"""The Hub's REST API: every call of it goes through here."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyterhub.utils import make_ssl_context, url_path_join
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import HTTPError
from traitlets import Float, Integer, Unicode
from traitlets.config import LoggingConfigurable

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
    """What the hub said: a status below 500 that is no redirect, and its body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HubUnavailable: it is none.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise HubUnavailable("the answer is not JSON") from error


class HubClient(LoggingConfigurable):
    """Calls the Hub's REST API: asynchronous, bounded in time, number and size."""

    api_url = Unicode(help="The base URL of the Hub's REST API. Set by the application.")
    api_token = Unicode(help="The service's own token. Set by the application.")

    hub_timeout = Float(
        5.0, help="Seconds that one call of the Hub's REST API may take. Default: 5."
    ).tag(config=True)

    hub_concurrency = Integer(
        10, help="How many calls of the Hub's REST API may be under way at once. Default: 10."
    ).tag(config=True)

    max_answer = 8 * 1024 * 1024  # bytes; the largest page of users that a hub sends is ~2 MiB

    def __init__(self, metrics: Metrics, tls_files: tuple[str, str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metrics = metrics
        self._tls_files = tls_files
        self._client: AsyncHTTPClient | None = None

    def _tls(self) -> ssl.SSLContext | None:
        """What the hub's ``internal_ssl`` asks of its clients, where it is on."""
        keyfile, certfile, client_ca = self._tls_files
        return make_ssl_context(keyfile, certfile, cafile=client_ca) if certfile else None

    def _http(self) -> AsyncHTTPClient:
        """The one client, made when the loop runs."""
        if self._client is None:
            self._client = AsyncHTTPClient(
                force_instance=True,
                max_clients=self.hub_concurrency,
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
            HubUnavailable: there was no answer in time, or one that is none (5xx, a redirect).
        """
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await self._fetch(method, url, headers, body)
            outcome = "ok" if answer.status < 400 else "refused"
            return answer
        finally:
            self.metrics.observe_hub(outcome, time.perf_counter() - started)

    async def _fetch(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> HubAnswer:
        request = HTTPRequest(
            url, method=method, headers=headers, body=body, allow_nonstandard_methods=True
        )
        try:
            response = await asyncio.wait_for(
                self._http().fetch(request, raise_error=False), self.hub_timeout
            )
        except asyncio.TimeoutError:
            raise HubUnavailable(f"no answer in {self.hub_timeout:g} s") from None
        except Exception as error:
            # whatever goes wrong between us and the hub, it is not the visitor's fault
            raise HubUnavailable(f"{type(error).__name__}: {error}") from error
        if response.code == 599:
            raise HubUnavailable(str(response.error))
        if response.code >= 500 or 300 <= response.code < 400 or response.code < 200:
            raise HubUnavailable(f"it answered {response.code}")
        return HubAnswer(response.code, response.body or b"")

    async def version(self) -> str:
        """The hub's version. Needs no scope.

        Raises:
            HubUnavailable: the hub does not answer, or what answers is no hub.
        """
        answer = await self.request("GET", url_path_join(self.api_url, "") + "/", headers={})
        model = answer.json()
        if answer.status != 200 or not isinstance(model, dict) or "version" not in model:
            raise HubUnavailable(f"what answers at {self.api_url} is not a Hub API")
        return str(model["version"])

    def close(self) -> None:
        """Drop the connections that are open."""
        if self._client is not None:
            self._client.close()
            self._client = None
