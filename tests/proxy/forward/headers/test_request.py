"""The headers that an app gets."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from tornado_service.proxy.forward.headers.cookies import CookieRules
from tornado_service.proxy.forward.headers.request import (
    VisitorFacts,
    encode_user,
    is_dropped,
    make_request_headers,
)

FACTS = VisitorFacts(
    user={"kind": "user", "name": "ada", "groups": ["analysts", "a,b %", "größe", "urn:x:y"]},
    address="192.0.2.1",
    host="hub.example.org",
    protocol="https",
    prefix="/services/hosted/sales",
    request_id="0123456789abcdef",
)
OURS = {
    "X-Forwarded-User": "ada",
    "X-Forwarded-Groups": "analysts,a%2Cb%20%25,gr%C3%B6%C3%9Fe,urn:x:y",
    "X-Forwarded-Prefix": "/services/hosted/sales",
    "X-Forwarded-Host": "hub.example.org",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "192.0.2.1",
    "X-Request-ID": "0123456789abcdef",
}


def made(*sent: tuple[str, str], keeps_authorization: bool = False) -> dict[str, str]:
    headers = HTTPHeaders()
    for name, value in sent:
        headers.add(name, value)
    return dict(
        make_request_headers(
            headers,
            FACTS,
            CookieRules("service-hosted"),
            keeps_authorization=keeps_authorization,
            hub_tokens={"t1"},
        ).get_all()
    )


def test_the_app_is_told_who_the_visitor_is() -> None:
    assert made() == OURS


def test_groups_that_the_hub_does_not_show_are_not_told() -> None:
    facts = VisitorFacts({"name": "ada"}, "", "", "", "", "")

    assert "X-Forwarded-Groups" not in dict(facts.lines())


SPELLINGS = st.sampled_from(
    [*OURS, "X-Forwarded", "Forwarded", "X-Real-IP", "Remote-User", "X-Forwarded-Email", "X-Scheme",
     "X-Remote-Groups", "X-Auth-Request-Email", "X-WebAuth-User", "Script-Name", "Proxy",
     "Transfer-Encoding", "Host", "Content-Length", "Proxy-Authorization", "HTTP2-Settings", "TE",
     "Trailer", "Keep-Alive"]
)  # fmt: skip


@given(SPELLINGS, st.data())
def test_headers_of_these_names_are_dropped_in_every_spelling(name: str, data: Any) -> None:
    spelled = "".join(
        data.draw(st.sampled_from("-_.") if letter == "-" else st.sampled_from(
            [letter.lower(), letter.upper()]
        ))
        for letter in name
    )  # fmt: skip

    assert is_dropped(spelled)
    assert made((spelled, "spoofed")) == OURS


@pytest.mark.parametrize(
    "line",
    [
        ("Accept-Encoding", "gzip, br"),
        ("X-Whatever", "\xc3\xa9 \xff"),
        ("Cookie", "a=1"),
        ("Origin", "https://hub.example.org"),
        ("Sec-Websocket-Protocol", "bokeh, token"),
        ("If-None-Match", 'W/"1"'),
        ("Range", "bytes=0-1"),
        ("X_custom", "1"),
        ("Referer", "https://hub.example.org/?token=other"),
    ],
)
def test_others_pass_as_they_are(line: tuple[str, str]) -> None:
    assert made(line) == {line[0]: line[1], **OURS}


def test_what_connection_names_ends_here_but_not_who_the_visitor_is() -> None:
    sent = [
        ("Connection", "close, X-One , x_two"),
        ("Connection", "X-Forwarded-User, X-Request-ID"),
        ("X-One", "1"),
        ("X-Two", "2"),
        ("X-Three", "3"),
    ]

    assert made(*sent) == {"X-Three": "3", **OURS}


def test_our_cookies_and_tokens_are_dropped() -> None:
    assert made(("Cookie", "service-hosted=secret; a=1"), ("Cookie", "_xsrf=x")) == {
        "Cookie": "a=1",
        **OURS,
    }
    assert made(("Referer", "https://x/?token=t1&a=1")) == {"Referer": "https://x/?a=1", **OURS}


def test_authorization_passes_only_if_it_is_no_token_of_the_hub() -> None:
    line = ("Authorization", "Basic YTpi")

    assert made(line) == OURS
    assert made(line, keeps_authorization=True) == {line[0]: line[1], **OURS}


def test_trailers_are_accepted_if_the_visitor_does() -> None:
    assert made(("Te", "gzip, Trailers;q=0.5")) == {**OURS, "TE": "trailers", "Connection": "TE"}


@given(st.text(min_size=1))
def test_names_of_users_survive(name: str) -> None:
    encoded = encode_user({"kind": "user", "name": name.encode(errors="replace").decode()})

    assert encoded.isascii()
    assert not set(encoded) & set(' ,:"\r\n') - {'"'}
    assert unquote(encoded) == name.encode(errors="replace").decode()


def test_a_service_is_no_user_of_the_same_name() -> None:
    assert encode_user({"kind": "service", "name": "ada"}) == "service:ada"
    assert encode_user({"kind": "user", "name": "service:ada"}) == "service%3Aada"
    assert encode_user({"kind": "user", "name": "ada@example.org"}) == "ada@example.org"
