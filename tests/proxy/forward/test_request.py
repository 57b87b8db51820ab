"""The request as the app gets it, from a visitor who may be hostile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.proxy import PATH, Call, Proxied, respond
from tests.support.proxy_fixtures import StartProxy
from tornado_service.testing import BROWSER, PREFIX, SERVICE_TOKEN, StandInHub, Visitor

RAW_TARGETS = [
    "a%2Fb%20c;d=1+2//e/",
    "%e4%bd%a0/%2e%2ea/...",
    "?q=%2F+%20&q=;&&=",
    "a?b?c=d",
    "[x]{y}|z^`<>\"'",
    "*$!~()@:,=",
    "%",
    "%zz%",
]


@pytest.mark.parametrize("target", RAW_TARGETS)
async def test_path_and_query_survive_byte_for_byte(proxied: Proxied, target: str) -> None:
    await proxied.call("GET", target)

    assert proxied.upstream.request.target == PATH + target


async def test_bytes_that_http_does_not_allow_are_encoded(proxied: Proxied) -> None:
    await proxied.call("GET", "gr\xc3\xbc\xdf?\xe9")

    assert proxied.upstream.request.target == f"{PATH}gr%C3%BC%DF?%E9"


async def test_the_prefix_is_stripped(start_proxy: StartProxy) -> None:
    proxied = await start_proxy(strip_prefix=True)

    await proxied.call("GET", "")
    await proxied.call("GET", "?a")
    await proxied.call("GET", "/".join(["..", "a%2Fb"]))

    targets = [request.target for request in proxied.upstream.requests]
    assert targets == ["/", "/?a", "/../a%2Fb"]
    assert proxied.upstream.requests[0].get("X-Forwarded-Prefix") == PATH.rstrip("/")


async def test_a_path_of_the_url_cannot_be_left(
    start_proxy: StartProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied = await start_proxy(strip_prefix=True)
    target = replace(proxied.upstream.target, path="/base")
    monkeypatch.setattr(proxied.app, "url_target", target)

    await proxied.call("GET", "a")
    refused = await proxied.call("GET", "%2e%2e/secret")

    assert proxied.upstream.request.target == "/base/a"
    assert refused.status == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_methods(proxied: Proxied, method: str) -> None:
    reply = await proxied.call(method, "a", body=b"" if method == "GET" else b"abc")

    assert (reply.status, reply.body) == (200, b"ok")
    assert proxied.upstream.request.line == f"{method} {PATH}a HTTP/1.1"
    assert proxied.upstream.request.body == (b"" if method == "GET" else b"abc")


async def test_a_get_may_have_a_body(proxied: Proxied) -> None:
    await proxied.call("GET", "a", body=b"abc")

    assert proxied.upstream.request.body == b"abc"


async def test_a_body_in_chunks_is_one_for_the_app(proxied: Proxied) -> None:
    await proxied.call("POST", "", {"Transfer-Encoding": "Chunked"}, b"3\r\nabc\r\n0\r\n\r\n")

    assert proxied.upstream.request.body == b"abc"
    assert proxied.upstream.request.get_list("Transfer-Encoding") == ["chunked"]
    assert proxied.upstream.request.get("Content-Length") is None


async def test_a_length_of_zero_is_passed(proxied: Proxied) -> None:
    await proxied.call("POST", "", {"Content-Length": "0"})

    assert proxied.upstream.request.get("Content-Length") == "0"


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "CONNECT"])
async def test_other_methods_are_not_allowed(proxied: Proxied, method: str) -> None:
    assert (await proxied.call(method, "")).status == 405
    assert proxied.upstream.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "3"), ("Content-Length", "4")],
        [("Content-Length", "3, 4")],
        [("Content-Length", "+3")],
        [("Content-Length", "0x3")],
        [("Content-Length", "-3")],
        [("Content-Length", "9" * 30)],
        [("Transfer-Encoding", "gzip, chunked")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "xchunked")],
        [("Transfer-Encoding", "identity")],
    ],
    ids=str,
)
async def test_a_body_of_unclear_length_never_reaches_the_app(
    proxied: Proxied, headers: Any
) -> None:
    async with proxied.connect() as visitor:
        await visitor.send_head("POST", "", headers)
        await visitor.send(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        raw = await visitor.read_to_end()

    assert raw.startswith(b"HTTP/1.1 400 ")
    assert raw.count(b"HTTP/1.1") == 1
    assert proxied.upstream.requests == []


async def test_an_http_1_0_visitor_sends_no_chunks(proxied: Proxied) -> None:
    async with proxied.connect() as visitor:
        await visitor.send_head("POST", "", {"Transfer-Encoding": "chunked"}, version="1.0")
        assert (await visitor.read()).status == 400


async def test_variants_of_the_framing_headers_are_dropped(proxied: Proxied) -> None:
    sent = {
        "Content_Length": "100",
        "Transfer_Encoding": "chunked",
        "Content-Length": "3",
        "Expect": "100-continue",
    }

    async with proxied.connect() as visitor:
        await visitor.send_head("POST", "", sent)
        await visitor.send(b"abc")
        reply = await visitor.read()

    assert reply.informational == [(100, [])]
    assert (reply.status, proxied.upstream.request.body) == (200, b"abc")
    names = {name.lower() for name, _ in proxied.upstream.request.headers}
    assert not names & {"content_length", "transfer_encoding", "expect"}


async def test_who_the_visitor_is_cannot_be_spoofed(proxied: Proxied, hub: StandInHub) -> None:
    proxied.token = hub.token_for("bob smith", groups=["a,b", "ж"])
    spoofed = {
        "X-Forwarded-User": "admin",
        "x_forwarded_user": "admin",
        "X.Forwarded.Groups": "admins",
        "X-Forwarded-Prefix": "/",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-For": "192.0.2.7, 192.0.2.8",
        "Forwarded": "for=evil;proto=https",
        "X-Request-Id": "evil",
        "X-Real-IP": "evil",
        "Remote-User": "admin",
        "Connection": "X-Forwarded-User",
    }

    await proxied.call("GET", "", spoofed)

    request = proxied.upstream.request
    assert request.get("X-Forwarded-User") == "bob%20smith"
    assert request.get("X-Forwarded-Groups") == "a%2Cb,%D0%B6"
    assert request.get("X-Forwarded-Prefix") == PATH.rstrip("/")
    assert request.get("X-Forwarded-Host") == "hub.example.org"
    assert request.get("X-Forwarded-For") == "192.0.2.8"
    assert request.get("X-Forwarded-Proto") == "https"
    assert len(request.get("X-Request-ID") or "") == 16
    assert "evil" not in str(request.headers)
    assert "admin" not in str(request.headers)


async def test_a_header_that_is_not_ascii_passes(proxied: Proxied) -> None:
    await proxied.call("GET", "", {"X-Name": "gr\xc3\xbc\xdf", "User-Agent": "\xff"})

    assert proxied.upstream.request.get("X-Name") == "gr\xc3\xbc\xdf"
    assert proxied.upstream.request.get("User-Agent") == "\xff"


class TestCredentials:
    async def test_the_session_and_its_cookies_are_not_passed(
        self, proxied: Proxied, browser: Visitor
    ) -> None:
        await browser.open(PATH)
        browser.jar[browser.host, "/", "jupyterhub-session-id"] = "secret"
        browser.jar[browser.host, "/", "theirs"] = "1"
        await browser.open(PATH)

        request = proxied.upstream.requests[-1]
        assert request.get("X-Forwarded-User") == "ada"
        assert request.get("Cookie") == "theirs=1"

    async def test_a_token_of_the_hub_is_not_passed(self, proxied: Proxied) -> None:
        await proxied.call("GET", "")
        await proxied.call("GET", "", {"Authorization": f"Bearer {proxied.token}"})

        for request in proxied.upstream.requests:
            assert request.get("Authorization") is None
        assert proxied.token not in str(proxied.upstream.requests)

    async def test_credentials_of_the_app_are_passed(
        self, proxied: Proxied, browser: Visitor
    ) -> None:
        await browser.open(PATH)
        await browser.get(PATH, headers={**BROWSER, "Authorization": "Basic YTpi"})

        assert proxied.upstream.requests[-1].get("Authorization") == "Basic YTpi"

    async def test_tokens_of_the_hub_in_urls_are_dropped(
        self, proxied: Proxied, hub: StandInHub
    ) -> None:
        other = hub.token_for("bob")
        referer = f"https://hub.example.org/?token={SERVICE_TOKEN}&a"
        hub.users[SERVICE_TOKEN] = {"kind": "service", "name": "hosted", "scopes": []}

        await proxied.call("GET", f"a?token={other}&b=%20+&token=theirs", {"Referer": referer})

        assert proxied.upstream.request.target == f"{PATH}a?b=%20+&token=theirs"
        assert proxied.upstream.request.get("Referer") == "https://hub.example.org/?a"

    async def test_one_request_cannot_call_the_hub_many_times(
        self, proxied: Proxied, hub: StandInHub
    ) -> None:
        query = "&".join(f"token={number}" for number in range(17))

        assert (await proxied.call("GET", f"?{query}")).status == 400
        assert sum(hub.calls.values()) < 5

    async def test_a_token_that_the_hub_cannot_judge_is_not_passed(
        self, proxied: Proxied, hub: StandInHub
    ) -> None:
        await proxied.call("GET", "")
        hub.fault = "error"

        assert (await proxied.call("GET", "?token=abc")).status == 503
        assert len(proxied.upstream.requests) == 1


async def test_a_stranger_gets_no_response_of_the_app(proxied: Proxied) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        reply = await proxied.call(method, "", signed_in=False)
        assert reply.status == 401, method
    page = await proxied.call("GET", "", BROWSER, signed_in=False)

    assert page.status == 302
    assert proxied.upstream.requests == []


async def test_requests_of_other_sites_change_nothing(proxied: Proxied, browser: Visitor) -> None:
    await browser.open(PATH)
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    other = await browser.get(PATH, method="POST", headers=cross, body=b"")
    same = await browser.get(
        PATH, method="POST", headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, body=b""
    )

    assert (other.code, same.code) == (403, 200)
    assert [request.line.split()[0] for request in proxied.upstream.requests] == ["GET", "POST"]


async def test_the_app_may_change_the_headers(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(self: Any, handler: Any, headers: Any) -> None:
        headers["X-Forwarded-User"] = handler.current_user["name"].upper()
        headers["X-Extra"] = "1"
        headers["Content-Length"] = "77"
        del headers["X-Request-ID"]

    monkeypatch.setattr(type(proxied.app), "change_request_headers", change)
    await proxied.call("POST", "", body=b"abc")

    request = proxied.upstream.request
    assert request.get("X-Forwarded-User") == "ADA"
    assert request.get("X-Extra") == "1"
    assert request.get("X-Request-ID") is None
    assert request.body == b"abc"


async def test_a_failing_hook_is_an_error_of_the_service(
    proxied: Proxied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        type(proxied.app), "change_request_headers", lambda self, handler, headers: 1 / 0
    )

    assert (await proxied.call("GET", "")).status == 500
    assert proxied.upstream.requests == []


async def test_trailers_are_asked_for_if_the_visitor_reads_them(proxied: Proxied) -> None:
    await proxied.call("GET", "", {"TE": "trailers", "Connection": "TE"})

    assert proxied.upstream.request.get("TE") == "trailers"


async def test_a_protocol_that_is_no_websocket_is_not_switched_to(proxied: Proxied) -> None:
    async def script(call: Call) -> None:
        assert call.request.get("Upgrade") is None
        await respond(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(call)

    proxied.upstream.script = script
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAA"}

    assert (await proxied.call("GET", PREFIX + "sales/", upgrade)).status == 200
