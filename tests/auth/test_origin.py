"""Where requests come from, by the headers that browsers set."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from tornado_service.auth.origin import is_allowed_origin, is_own_url

HOST = {"Host": "hub.example.org"}
SOCKET = {"Upgrade": "websocket", "Connection": "upgrade"}


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://hub.example.org"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": "https://hub.example.org"}, True),
        ({"Origin": "https://HUB.example.org"}, True),
        ({"Origin": "https://hub.example.org:8000"}, False),
        ({"Origin": "https://hub.example.org.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "null", "Referer": "https://hub.example.org/"}, False),
        ({"Origin": "https://[hub"}, False),
        ({"Referer": "https://hub.example.org/services/x/?a=b"}, True),
        ({"Referer": "https://evil.example/?https://hub.example.org"}, False),
        ({"Origin": "", "Referer": "https://hub.example.org/"}, True),
        ({}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "a socket"])
def test_a_change_and_a_socket_have_to_come_from_our_origin(
    headers: dict[str, str], is_allowed: bool, method: str
) -> None:
    more = SOCKET if method == "a socket" else {}
    sent = HTTPHeaders({**HOST, **headers, **more})

    assert is_allowed_origin("GET" if more else method, sent, "") is is_allowed


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, True),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, False),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_scripts_of_other_origins_do_not_read(
    headers: dict[str, str], is_allowed: bool, method: str
) -> None:
    assert is_allowed_origin(method, HTTPHeaders({**HOST, **headers}), "") is is_allowed


def test_our_host_is_that_of_the_hubs_url_too() -> None:
    behind = HTTPHeaders({"Host": "10.0.0.1:8000", "X-Forwarded-Host": "a.example, b.example"})

    for url in ("https://public.example", "https://a.example/", "http://b.example"):
        assert is_own_url(url, behind, "public.example")
    assert not is_own_url("https://c.example", behind, "public.example")
    assert not is_own_url("", HTTPHeaders(), "")
