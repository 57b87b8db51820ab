"""The headers that a visitor gets."""

from __future__ import annotations

import dataclasses

import pytest

from tornado_service.proxy.forward.headers.cookies import CookieRules
from tornado_service.proxy.forward.headers.response import ResponseRules
from tornado_service.proxy.forward.paths import AppPaths, Locations
from tornado_service.proxy.forward.target import Target

PREFIX = "/services/hosted/sales"
PATHS = AppPaths(PREFIX, strips_prefix=True)
RULES = ResponseRules(
    PATHS,
    Locations(PATHS, Target(port=8501), "hub.example.org", "https", "/a"),
    CookieRules("service-hosted"),
    "'self'",
    f"{PREFIX}/a",
)
PRIVATE = ("Cache-Control", "private, no-cache")
ADDED = [("Content-Security-Policy", "frame-ancestors 'self'"), PRIVATE]

Lines = list[tuple[str, str]]


def made(*lines: tuple[str, str], status: int = 200) -> Lines:
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return list(RULES.make_headers(status, sent).get_all())


def test_they_pass_with_their_spelling_and_order() -> None:
    lines = [
        ("content-TYPE", "text/html"),
        ("Server", "theirs"),
        ("set-cookie", "a=1"),
        ("ETag", '"1"'),
        ("Set-Cookie", "b=2"),
        ("content-length", "5"),
        ("X-Name", "gr\xc3\xb6\xdf"),
        ("Content-Encoding", "gzip"),
    ]

    assert made(*lines) == [*lines, *ADDED]


@pytest.mark.parametrize(
    "policy",
    ["frame-ancestors *", "default-src 'self';Frame-Ancestors 'none'", "a,frame-ancestors"],
)
def test_the_app_says_which_pages_may_show_it(policy: str) -> None:
    assert made(("content-security-policy", policy)) == [
        ("content-security-policy", policy),
        PRIVATE,
    ]


@pytest.mark.parametrize("policy", ["default-src 'self'", "x-frame-ancestors *", ""])
def test_a_policy_about_other_things_is_not_replaced(policy: str) -> None:
    line = ("content-security-policy", policy)

    assert made(line) == [line, *ADDED]


@pytest.mark.parametrize(
    ("option", "ancestors"), [("DENY", "'none'"), ("a, deny", "'none'"), ("SAMEORIGIN", "'self'")]
)
def test_an_app_that_forbids_frames_is_in_none(option: str, ancestors: str) -> None:
    line = ("X-Frame-Options", option)
    rules = dataclasses.replace(RULES, frame_ancestors="'self' https://lms.test")
    configured = rules.make_headers(200, [(b"X-Frame-Options", option.encode())])

    assert made(line) == [line, (ADDED[0][0], f"frame-ancestors {ancestors}"), PRIVATE]
    assert configured["Content-Security-Policy"].endswith(" https://lms.test")


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ("public, max-age=60", "max-age=60, private"),
        ("s-maxage=9, Max-Age=60,immutable", "Max-Age=60, immutable, private"),
        ("Public", "private"),
        ("no-cache", "no-cache, private"),
        ('private="Set-Cookie"', 'private="Set-Cookie", private'),
        ("no-store, public", "no-store, public"),
        ("max-age=60, Private", "max-age=60, Private"),
    ],
)
@pytest.mark.parametrize("status", [200, 304])
def test_shared_caches_keep_nothing(sent: str, passed: str, status: int) -> None:
    assert dict(made(("Cache-Control", sent), status=status))["Cache-Control"] == passed


def test_without_directives_the_browser_asks_again() -> None:
    modified = ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
    expires = ("Expires", "Mon, 01 Jan 2029 00:00:00 GMT")

    assert dict(made(modified))["Cache-Control"] == "private, no-cache"
    assert dict(made(modified, expires))["Cache-Control"] == "private"


def test_not_modified_leaves_the_headers_in_the_cache() -> None:
    lines = [("ETag", '"1"'), ("Content-Length", "0")]

    assert made(*lines, status=304) == lines


def test_a_policy_that_only_reports_is_none() -> None:
    line = ("Content-Security-Policy-Report-Only", "frame-ancestors *")

    assert made(line) == [line, *ADDED]


def test_headers_of_the_connection_end_here() -> None:
    assert made(
        ("Connection", "keep-alive, X-One"),
        ("connection", "x_two"),
        ("X-One", "1"),
        ("X-Two", "2"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("Proxy-Authenticate", "Basic"),
        ("X-Three", "3"),
    ) == [("X-Three", "3"), *ADDED]


@pytest.mark.parametrize("status", [204, 103])
def test_responses_that_have_no_body_have_no_length(status: int) -> None:
    assert "Content-Length" not in dict(made(("Content-Length", "0"), status=status))


@pytest.mark.parametrize("status", [200, 205, 416])
def test_others_keep_theirs(status: int) -> None:
    assert made(("Content-Length", "0"), status=status) == [("Content-Length", "0"), *ADDED]


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (("Location", "/login"), f"{PREFIX}/login"),
        (("content-location", "http://127.0.0.1:8501/b"), f"{PREFIX}/b"),
        (("Refresh", "5; url=/b"), f"5; url={PREFIX}/b"),
        (("Set-Cookie", "a=1; Path=/"), f"a=1; Path={PREFIX}/"),
        (("Service-Worker-Allowed", f"{PREFIX}/deep"), f"{PREFIX}/deep"),
        (("Service-Worker-Allowed", PREFIX), f"{PREFIX}/"),  # sales-2, too, begins with it
        (("Service-Worker-Allowed", "/"), f"{PREFIX}/"),
        (("Service-Worker-Allowed", "https://hub.example.org/"), f"{PREFIX}/"),
        (("Service-Worker-Allowed", f"{PREFIX}/%2e%2E/.."), f"{PREFIX}/"),
        (("Service-Worker-Allowed", f"{PREFIX}/.\t./"), f"{PREFIX}/"),
    ],
)
def test_what_names_a_path_is_put_under_the_prefix(line: tuple[str, str], changed: str) -> None:
    assert made(line) == [(line[0], changed), *ADDED]


@pytest.mark.parametrize("sent", [[], [(b"Service-Worker-Allowed", f"{PREFIX}/deep".encode())]])
def test_without_its_slash_the_path_is_no_place_for_a_worker_of_all_apps(
    sent: list[tuple[bytes, bytes]],
) -> None:
    headers = dataclasses.replace(RULES, request_path=PREFIX).make_headers(200, sent)

    assert headers.get_list("Service-Worker-Allowed") == [f"{PREFIX}/"]


@pytest.mark.parametrize(
    "line",
    [
        ("Set-Cookie", "service-hosted=planted"),
        ("Clear-Site-Data", '"cookies"'),
        ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
        ("Alt-Svc", 'h3=":443"'),
        ("NEL", '{"report_to": "all", "max_age": 86400, "success_fraction": 1}'),
        ("X-Control", "a\x01b"),
        ("X-Control", "a\x7f"),
    ],
)
def test_what_would_change_all_of_the_site_is_dropped(line: tuple[str, str]) -> None:
    assert made(line) == ADDED


def test_early_hints_have_no_policy() -> None:
    line = ("Link", "</a.css>; rel=preload")

    assert made(line, status=103) == [line]


def test_trailers_say_nothing_about_the_body_or_the_sign_in() -> None:
    sent = [
        (b"X-Checksum", b"1"),
        (b"Set-Cookie", b"a=1"),
        (b"content-length", b"5"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Location", b"/"),
    ]

    assert list(RULES.make_trailers(sent).get_all()) == [("X-Checksum", "1")]
