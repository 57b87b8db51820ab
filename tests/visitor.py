"""A person's browser as far as HTTP goes: it keeps cookies and follows redirects."""

from __future__ import annotations

import html
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

#: What Chromium sends when a person opens an address.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
}
#: What it sends for fetch() of a page's script.
SCRIPT = {
    "Accept": "*/*",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Site": "same-origin",
}


class Visitor:
    """Opens addresses of the hub and the service as one site, as behind the proxy.

    Args:
        client: what makes the requests.
        proxy: where every request goes, or the hub where it differs from ``service``.
        service: where requests of other paths than the hub's go.
        host: the public host, where it is not the proxy's.
    """

    def __init__(
        self, client: AsyncHTTPClient, proxy: str, service: str = "", host: str = ""
    ) -> None:
        self.client = client
        self.hub = proxy
        self.service = service or proxy
        self.host = host or "visitor.test"
        self.jar: dict[tuple[str, str, str], str] = {}
        self.address = ""
        self.page = ""
        self.seen: list[str] = []  # every secret that passed by

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies below the service's prefix, by name."""
        return {name: value for (_, path, name), value in self.jar.items() if "services" in path}

    async def get(
        self,
        address: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> HTTPResponse:
        """One request, no redirect followed."""
        target = urlsplit(address)
        host = target.netloc or self.host
        origin = self.hub if "/hub/" in target.path else self.service
        sent = {**BROWSER, "Host": host, **(headers or {})}
        cookies = [
            f"{name}={value}"
            for (at, path, name), value in self.jar.items()
            if at == host and target.path.startswith(path)
        ]
        if cookies:
            sent["Cookie"] = "; ".join(cookies)
        answer = await self.client.fetch(
            origin + target.path + (f"?{target.query}" if target.query else ""),
            method=method,
            headers=sent,
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
            **more,
        )
        for line in answer.headers.get_list("Set-Cookie"):
            self._keep(host, line)
        return answer

    def _keep(self, host: str, line: str) -> None:
        for name, morsel in SimpleCookie(line).items():
            key = (host, morsel["path"], name)
            if morsel.value:
                self.jar[key] = morsel.value
                self.seen.append(morsel.value)
            else:
                self.jar.pop(key, None)

    async def open(self, address: str, **more: Any) -> HTTPResponse:
        """Open an address and follow where it leads."""
        for _ in range(12):
            answer = await self.get(address, **more)
            self.address = address
            if answer.code not in (301, 302):
                self.page = answer.body.decode()
                return answer
            more = {}
            address = urljoin(address, answer.headers["Location"])
            self.seen += re.findall(r"(?:state|code|code_challenge)=([^&]+)", address)
        raise AssertionError(f"redirected without end, now to {address}")

    async def sign_in(self, address: str, name: str) -> HTTPResponse:
        """Open an address, and fill in the hub's form when it shows."""
        await self.open(address)
        assert 'name="username"' in self.page, self.page
        action = re.search(r'<form action="([^"]+)"', self.page)[1]
        form = {
            "username": name,
            "password": "x",
            "_xsrf": re.search(r'name="_xsrf"\s+value="([^"]+)"', self.page)[1],
        }
        return await self.open(
            urljoin(self.address, html.unescape(action)),
            method="POST",
            body=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

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
