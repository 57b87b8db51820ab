"""A person's browser as far as HTTP goes: it keeps cookies and follows redirects."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests.conftest import BROWSER, SCRIPT


class Visitor:
    """Opens addresses of the hub and the service as one site, as behind the proxy."""

    def __init__(self, client: AsyncHTTPClient, service: str, hub: str) -> None:
        self.client = client
        self.service = service
        self.hub = hub
        self.cookies: dict[str, str] = {}
        self.address = ""
        self.page = ""
        self.seen: list[str] = []  # every secret that passed by

    async def get(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, **more: Any
    ) -> HTTPResponse:
        """One request, no redirect followed."""
        origin = self.hub if path.startswith("/hub/") else self.service
        sent = {**BROWSER, **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.client.fetch(
            origin + path,
            method=method,
            headers=sent,
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
            **more,
        )
        for line in answer.headers.get_list("Set-Cookie"):
            self._keep(line)
        return answer

    def _keep(self, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            if morsel.value:
                self.cookies[name] = morsel.value
                self.seen.append(morsel.value)
            else:
                self.cookies.pop(name, None)

    async def open(self, path: str) -> HTTPResponse:
        """Open an address and follow where it leads."""
        for _ in range(10):
            answer = await self.get(path)
            self.address = path
            if answer.code not in (301, 302):
                self.page = answer.body.decode()
                return answer
            target = urlsplit(urljoin(path, answer.headers["Location"]))
            self.seen += re.findall(r"(?:state|code|code_challenge)=([^&]+)", target.query)
            path = target.path + (f"?{target.query}" if target.query else "")
        raise AssertionError(f"redirected without end, now to {path}")

    async def fetch(
        self, path: str, *, xsrf: bool = False, headers: dict[str, str] | None = None, **more: Any
    ) -> HTTPResponse:
        """What a script of the page that is open does."""
        sent = {**SCRIPT, **(headers or {})}
        if xsrf:
            sent["X-XSRFToken"] = self.xsrf_token
        return await self.get(path, headers=sent, **more)

    @property
    def xsrf_token(self) -> str:
        """The token in the page that is open."""
        return re.search('data-xsrf-token="([^"]*)"', self.page)[1]
