"""Where requests come from, by the headers that browsers set."""

from __future__ import annotations

import logging

import pytest
from tornado.httputil import HTTPHeaders

from tornado_service.auth.origin import (
    MAX_LOGGED_ORIGINS,
    RefusedOrigins,
    is_allowed_origin,
    is_own_url,
)

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


class TestRefusedOrigins:
    @pytest.fixture
    def origins(self) -> RefusedOrigins:
        return RefusedOrigins(logging.getLogger("refused"), "/services/x/")

    def test_the_setting_is_logged_once_for_each_origin(
        self, origins: RefusedOrigins, caplog: pytest.LogCaptureFixture
    ) -> None:
        for origin in ("https://hub.example.org", "https://hub.example.org", "http://other"):
            origins.log(HTTPHeaders({"Host": "10.0.0.1:8000", "Origin": origin}))

        first, second = caplog.messages
        assert "A page at https://hub.example.org was refused" in first
        assert "Host is 10.0.0.1:8000" in first
        assert "JUPYTERHUB_PUBLIC_URL to https://hub.example.org/services/x/" in first
        assert "http://other/services/x/" in second

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-site"},
            {"Origin": "null"},
            {},
        ],
    )
    def test_no_setting_is_logged_that_would_not_help(
        self, origins: RefusedOrigins, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
    ) -> None:
        origins.log(HTTPHeaders({**HOST, **headers}))

        assert caplog.messages == []

    def test_clients_cannot_fill_or_forge_the_log(
        self, origins: RefusedOrigins, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in range(3 * MAX_LOGGED_ORIGINS):
            origin = f"https://{number}\x85" + "x" * 9000
            origins.log(HTTPHeaders({**HOST, "Origin": origin}))

        assert len(caplog.messages) == MAX_LOGGED_ORIGINS
        assert all(len(line) < 2000 and line.isprintable() for line in caplog.messages)
