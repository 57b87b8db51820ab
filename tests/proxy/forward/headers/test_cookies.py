"""Cookies of an app: not ours, and not above its own path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_service.proxy.forward.headers.cookies import CookieRules
from tornado_service.proxy.forward.paths import AppPaths

PREFIX = "/services/hosted/sales"
RULES = CookieRules("my-session")
PATHS = AppPaths(PREFIX)
PAGE = f"{PREFIX}/a/b"

RESERVED = [
    "my-session",
    "my-session-oauth-state",
    "service-hosted",
    "service-other-oauth-state",
    "jupyterhub-session-id",
    "jupyterhub-user-ada",
    "oauthenticator-state",
    "lti13authenticator-nonce-state",
    "_xsrf",
    "__Host-_xsrf",
    "__Secure-jupyterhub-session-id",
    "__host-SERVICE-hosted",
    "__Host-Http-service-hosted",
    "__Secure-__Host-service-hosted",
    "  JupyterHub-User ",
    "_XSRF",
]


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_pass_in_no_direction(name: str) -> None:
    assert RULES.for_app(f"a=1; {name}=secret; b=2") == "a=1; b=2"
    assert RULES.for_app(f"{name}=secret") == ""
    assert RULES.for_visitor(f"{name}=planted; Path={PREFIX}/", PATHS, PAGE) is None


@pytest.mark.parametrize("name", ["session", "xsrf", "_xsrf2", "my-sessio", "__Host-a", "services"])
def test_other_names_pass(name: str) -> None:
    assert RULES.for_app(f"{name}=1") == f"{name}=1"
    assert RULES.for_visitor(f"{name}=1", PATHS, PAGE) == f"{name}=1"


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60))
def test_no_reserved_name_is_left_in_any_header(text: str) -> None:
    header = f"{text}; service-hosted=secret; {text}"

    assert "secret" not in RULES.for_app(header)


def test_other_cookies_pass_byte_for_byte() -> None:
    header = 'a="x y" ;b=\xe9=%20;; c; d=;e=1,2'

    assert RULES.for_app(header) == header
    assert RULES.for_app(f"{header};_xsrf=1") == header


@pytest.mark.parametrize("cookie", ["=service-hosted=x", "service-hosted", " =a", "", "; Path=/"])
def test_a_cookie_without_a_name_is_not_set(cookie: str) -> None:
    assert RULES.for_visitor(cookie, PATHS, PAGE) is None


@pytest.mark.parametrize(
    ("attributes", "limited"),
    [
        ("", ""),
        ("; HttpOnly; Secure; SameSite=None", "; HttpOnly; Secure; SameSite=None"),
        ("; Path=/", f"; Path={PREFIX}/"),
        ("; path=/hub/; Secure", f"; Secure; Path={PREFIX}/"),
        (f"; Path={PREFIX}", f"; Path={PREFIX}"),
        (f"; Path={PREFIX}/a/b", f"; Path={PREFIX}/a/b"),
        (f"; Path={PREFIX}-other", f"; Path={PREFIX}/"),
        (f"; Path={PREFIX}/; PATH = / ", f"; Path={PREFIX}/"),
        (f"; Path=/; Path={PREFIX}/a", f"; Path={PREFIX}/a"),
        # browsers take the folder of the request then
        ("; Path=", ""),
        ("; Path=a", ""),
        ("; Path", ""),
        (f"; Path={PREFIX}/;Path=", ""),
        ("; Domain=example.org; Max-Age=1", "; Max-Age=1"),
        ("; domain = .hub.example.org", ""),
        ("; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
    ],
)
def test_a_cookie_is_limited_to_the_app(attributes: str, limited: str) -> None:
    assert RULES.for_visitor(f"a=1={attributes}", PATHS, PAGE) == f"a=1={limited}"


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/", "/"), ("/a", "/a"), (f"{PREFIX}/b", "/b"), (PREFIX, ""), ("/hub", "/hub")],
)
def test_the_path_of_an_app_without_prefix_is_put_under_it(path: str, seen: str) -> None:
    paths = AppPaths(PREFIX, strips_prefix=True)

    assert RULES.for_visitor(f"a=1; Path={path}", paths, PAGE) == f"a=1; Path={PREFIX}{seen}"


@pytest.mark.parametrize(
    ("request_path", "limited"),
    [(f"{PREFIX}/", ""), (f"{PREFIX}/a", ""), (PREFIX, f"; Path={PREFIX}/")],
)
@pytest.mark.parametrize("attribute", ["", "; Path=", "; Path=a"])
def test_without_a_path_it_is_for_the_folder_of_the_request_or_the_app(
    request_path: str, attribute: str, limited: str
) -> None:
    cookie = RULES.for_visitor(f"a=1{attribute}", PATHS, request_path)

    assert cookie == f"a=1{limited}"
