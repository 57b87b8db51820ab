"""A browser limited to HTTP: it keeps cookies and follows redirects."""

import html
import re
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import tornado
from tornado.escape import json_encode
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from .api_client import Response
from .sse_client import EventReader

#: Chromium's request headers for a navigation by the user.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
}
#: Its headers for fetch() in a page's script.
SCRIPT = {
    "Accept": "*/*",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Site": "same-origin",
}
#: The hub binds an XSRF token to it if there is no session with the hub.
USER_AGENT = "Mozilla/5.0 (visitor)"

FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

#: The fixture ``new_visitor``.
NewVisitor = Callable[[str], "Visitor"]

#: The fixture ``browse``.
Browse = Callable[..., "Visitor"]

_XSRF_TOKEN_PATTERN = re.compile(r'(?:data-xsrf-token|name="_xsrf"\s+value)="([^"]*)"')


class Visitor:
    """Opens URLs of the hub and the service as one site, as behind the proxy.

    The first page that it opens signs the user in, as the hub redirects there and back::

        async def test_a_report_is_shown(visitor):
            await visitor.post("reports/", {"title": "Disk is full"})
            assert "Disk is full" in visitor.page

    URLs are relative to the service's prefix, unless they begin with ``/``.

    Args:
        client: Tornado's HTTP client.
        proxy: the origin of the proxy, or of the hub if ``service`` differs.
        service: the origin for all paths except the hub's.
        host: the public host, if it is not the proxy's.
        home: the service's prefix.
        name: the user at the fake hub; a real hub shows its form.

    Attributes:
        address: the URL of the open page.
        page: its content.
    """

    def __init__(
        self,
        client: AsyncHTTPClient,
        proxy: str,
        service: str = "",
        host: str = "",
        *,
        home: str = "/",
        name: str = "",
    ) -> None:
        self.client = client
        self.hub = proxy
        self.service = service or proxy
        self.host = host or "visitor.test"
        self.home = home
        self.jar: dict[tuple[str, str, str], str] = {}
        if name:
            self.jar[self.host, "/hub/", "hub-user"] = name
        self.address = ""
        self.page = ""
        self.seen_secrets: list[str] = []  # all secrets in requests and responses

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies below the service's prefix, by name."""
        return {name: value for (_, path, name), value in self.jar.items() if "services" in path}

    async def get(
        self,
        address: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> HTTPResponse:
        """Make one request; redirects are not followed."""
        url, sent = self._request(address, {**BROWSER, **(headers or {})})
        response = await self.client.fetch(
            url,
            method=method,
            headers=sent,
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
            **more,
        )
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                key = (sent["Host"], morsel["path"], name)
                self.jar[key] = morsel.value
                if morsel.value:
                    self.seen_secrets.append(morsel.value)
                else:
                    del self.jar[key]
        return response

    def _request(self, address: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The URL and headers of a request, with the cookies for that path."""
        target = urlsplit(urljoin(self.home, address))
        host = target.netloc or self.host
        origin = self.hub if "/hub/" in target.path else self.service
        sent = {"Host": host, "User-Agent": f"Tornado/{tornado.version}", **headers}
        cookies = [
            f"{name}={self.jar[at, path, name]}"
            for at, path, name in sorted(self.jar, key=lambda key: len(key[1]), reverse=True)
            if at == host and target.path.startswith(path)
        ]
        if cookies:
            sent["Cookie"] = "; ".join(cookies)
        return origin + target.path + (f"?{target.query}" if target.query else ""), sent

    async def open(self, address: str = "", **more: Any) -> HTTPResponse:
        """Open a URL and follow redirects.

        Raises:
            AssertionError: there are too many redirects.
        """
        address = urljoin(self.home, address)
        for _ in range(12):
            response = await self.get(address, **more)
            self.address = address
            if response.code not in (301, 302):
                self.page = response.body.decode()
                return response
            more = {}
            address = urljoin(address, response.headers["Location"])
            self.seen_secrets += re.findall(r"(?:state|code|code_challenge)=([^&]+)", address)
        raise AssertionError(f"redirected without end, now to {address}")

    async def sign_in(self, address: str, name: str) -> HTTPResponse:
        """Open a URL, and fill in the form that a real hub shows.

        Raises:
            AssertionError: there is no form.
        """
        await self.open(address)
        action = re.search(r'<form action="([^"]+)"', self.page)
        xsrf = re.search(r'name="_xsrf"\s+value="([^"]+)"', self.page)
        if 'name="username"' not in self.page or action is None or xsrf is None:
            raise AssertionError(f"{self.address} is no form to sign in: {self.page}")
        form = {"username": name, "password": "x", "_xsrf": xsrf[1]}
        target = urljoin(self.address, html.unescape(action[1]))
        return await self.open(target, method="POST", body=urlencode(form), headers=FORM_HEADERS)

    async def post(
        self, address: str, form: Mapping[str, str] | None = None, *, xsrf: bool = True
    ) -> HTTPResponse:
        """Send a form of the open page; follow redirects.

        Args:
            address: the form's ``action``.
            form: its fields.
            xsrf: whether to send the page's XSRF token, which every form must contain.
        """
        token = {"_xsrf": await self._xsrf()} if xsrf else {}
        body = urlencode({**token, **(form or {})})
        return await self.open(address, method="POST", body=body, headers=FORM_HEADERS)

    async def fetch(
        self,
        address: str,
        *,
        xsrf: bool = True,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Response:
        """Make a request as ``serviceFetch`` in a script of the open page.

        Args:
            address: relative to the service's prefix, or absolute.
            xsrf: whether to send the page's XSRF token; plain ``fetch`` in a browser does not.
            json: the body.
            headers: more headers; they replace others of the same name.
            more: arguments of Tornado's ``HTTPRequest``, such as ``method``.
        """
        sent = dict(SCRIPT)
        if xsrf:
            sent["X-XSRFToken"] = await self._xsrf()
        if json is not None:
            sent["Content-Type"] = "application/json"
            more["body"] = json_encode(json)
        return Response.of(await self.get(address, headers={**sent, **(headers or {})}, **more))

    def listen(self, address: str, headers: Mapping[str, str] | None = None) -> EventReader:
        """Read an event stream as a script of the open page does, in an ``async with``.

        Raises:
            AssertionError: no page is open, or one without an XSRF token.
        """
        sent = {**SCRIPT, "Accept": "text/event-stream", "X-XSRFToken": self.xsrf_token}
        return EventReader(*self._request(address, {**sent, **(headers or {})}))

    async def _xsrf(self) -> str:
        if not self.page:
            await self.open("home")  # the only app may open at the prefix, with a page of its own
        return self.xsrf_token

    @property
    def xsrf_token(self) -> str:
        """The token in the open page.

        Raises:
            AssertionError: it has none.
        """
        match = _XSRF_TOKEN_PATTERN.search(self.page)
        if match is None:
            raise AssertionError(
                f"The page that is open ({self.address or 'none'}) has no XSRF token. Open one"
                ' whose template extends "templates/page.html".'
            )
        return html.unescape(match[1])
