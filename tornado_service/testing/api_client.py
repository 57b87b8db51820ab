"""An API client of the service: no cookies, optionally a token."""

from collections.abc import Mapping
from typing import Any

from tornado.escape import json_decode, json_encode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from .sse_client import EventReader


class Response(HTTPResponse):
    """Tornado's response, with methods for JSON."""

    @classmethod
    def of(cls, response: HTTPResponse) -> "Response":
        """Convert a response to this class."""
        new = cls.__new__(cls)
        vars(new).update(vars(response))
        return new

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: it is not JSON.
        """
        return json_decode(self.body)


class Fetch:
    """Makes requests without following redirects or raising for a status.

    ::

        response = await fetch("reports/api/reports", token=token, method="POST", json={"a": 1})
        assert (response.code, response.json()) == (201, {"id": 1, "a": 1})

    Args:
        client: Tornado's HTTP client.
        origin: the service's origin, such as ``http://127.0.0.1:8181``.
        prefix: the service's path, to which paths are relative unless they begin with ``/``.
    """

    def __init__(self, client: AsyncHTTPClient, origin: str, prefix: str) -> None:
        self._client = client
        self._origin = origin
        self._prefix = prefix

    async def __call__(
        self,
        path: str = "",
        *,
        token: str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """Make one request.

        Args:
            path: relative to the service's prefix, or absolute.
            token: an API token, as ``hub.token_for`` returns it.
            json: the body.
            headers: more headers; they replace those of ``token`` and ``json``.
            more: arguments of Tornado's ``HTTPRequest``, such as ``method``.
        """
        sent = _authorization(token)
        if json is not None:
            sent["Content-Type"] = "application/json"
            more["body"] = json_encode(json)
        response = await self._client.fetch(
            self._url(path),
            headers={**sent, **(headers or {})},
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
            **more,
        )
        return Response.of(response)

    def listen(
        self, path: str, *, token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> EventReader:
        """Open an event stream, for an ``async with``."""
        accept = {"Accept": "text/event-stream"}
        return EventReader(self._url(path), {**accept, **_authorization(token), **(headers or {})})

    def _url(self, path: str) -> str:
        return self._origin + (path if path.startswith("/") else self._prefix + path)


def _authorization(token: str | None) -> dict[str, str]:
    return {"Authorization": f"token {token}"} if token else {}
