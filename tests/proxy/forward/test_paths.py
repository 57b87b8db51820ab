"""Paths of an app, for visitors and for itself."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_service.proxy.forward.paths import AppPaths, Locations, has_dot_segments
from tornado_service.proxy.forward.target import Target

PREFIX = "/services/hosted/sales"
PLAIN = AppPaths(PREFIX)
STRIPPED = AppPaths(PREFIX, strips_prefix=True)
BASED = AppPaths(PREFIX, strips_prefix=True, base="/base")

#: What a request target may have, https://www.rfc-editor.org/rfc/rfc9112#section-3.2
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
BYTES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"))


@given(TARGETS)
def test_each_byte_survives(rest: str) -> None:
    assert PLAIN.to_app(f"{PREFIX}/{rest}") == f"{PREFIX}/{rest}"
    assert STRIPPED.to_app(f"{PREFIX}/{rest}") == f"/{rest}"


@given(BYTES)
def test_bytes_outside_of_ascii_are_encoded(rest: str) -> None:
    encoded = PLAIN.to_app(f"{PREFIX}/{rest}").removeprefix(f"{PREFIX}/")

    assert encoded.isascii()
    assert unquote_to_bytes(encoded) == unquote_to_bytes(rest.encode("latin-1"))


def test_the_prefix_without_its_slash_is_the_first_page() -> None:
    assert STRIPPED.to_app(PREFIX) == "/"
    assert STRIPPED.to_app(f"{PREFIX}?a") == "/?a"
    assert PLAIN.to_app(PREFIX) == PREFIX


def test_the_path_of_a_url_comes_first() -> None:
    assert BASED.to_app(f"{PREFIX}/a%2Fb//c?d=/../e") == "/base/a%2Fb//c?d=/../e"
    assert AppPaths(PREFIX, base="/base").to_app(f"{PREFIX}/a") == f"/base{PREFIX}/a"


@pytest.mark.parametrize(
    "path",
    ["..", ".", "a/../b", "%2e%2E/", ".%2e", "a%2f..%2fb", "..\\a", "..%5ca", "..;x/a",
     "%252e%252e", "%25252e", "%2525252525252e."],
)  # fmt: skip
def test_no_segment_leaves_the_apps_part_of_a_server(path: str) -> None:
    with pytest.raises(ValueError, match="dot"):
        BASED.to_app(f"{PREFIX}/{path}")
    with pytest.raises(ValueError, match="dot"):
        AppPaths(PREFIX, is_shared=True).to_app(f"{PREFIX}/{path}")
    assert PLAIN.to_app(f"{PREFIX}/{path}") == f"{PREFIX}/{path}"
    assert STRIPPED.to_app(f"{PREFIX}/{path}") == f"/{path}"


@pytest.mark.parametrize(
    "path", ["/...", "/a..b", "/.well-known/x", "/a;..", "/%20", "/a%25", "//"]
)
def test_other_paths_are_allowed(path: str) -> None:
    assert not has_dot_segments(path)


def located(paths: AppPaths, url: str, target: Target | None = None) -> str:
    target = target or Target(host="wiki", port=8080)
    locations = Locations(paths, target, "hub.example.org", "https", "/a/b?c=d")
    return locations.translate(url)


@pytest.mark.parametrize(
    "url",
    ["/", "/login?next=/", f"{PREFIX}/x", "b", "?c", "#d", "https://other.example.org/", "//cdn/x",
     "mailto:a@b", "javascript:..", "https://hub.example.org/x", "gr\xc3\xbc\xdf", "",
     "http://hub.example.org.evil/x", "\\\\x", "/\\x", "http:/x"],
)  # fmt: skip
def test_an_app_that_knows_its_prefix_is_believed(url: str) -> None:
    assert located(PLAIN, url) == url


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://wiki:8080/a?b", "/a?b"),
        ("//WIKI:8080/a", "/a"),
        ("http://wiki:8080", "/"),
        ("http://wiki:8080?a", "/?a"),
        ("http://wiki:8080//evil.example.org/", "https://hub.example.org//evil.example.org/"),
        ("http://wiki:8080/\\evil", "https://hub.example.org/\\evil"),
        # it does not know that browsers use https
        ("http://hub.example.org/a", "/a"),
    ],
)
def test_urls_of_the_app_as_it_sees_itself(url: str, seen: str) -> None:
    assert located(PLAIN, url) == seen


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("/", f"{PREFIX}/"),
        ("/login?next=/", f"{PREFIX}/login?next=/"),
        (f"{PREFIX}/x", f"{PREFIX}/x"),
        (PREFIX, PREFIX),
        (f"{PREFIX}y", f"{PREFIX}{PREFIX}y"),
        ("http://wiki:8080/a", f"{PREFIX}/a"),
        ("https://hub.example.org/a", f"{PREFIX}/a"),
        (f"https://hub.example.org{PREFIX}/a", f"https://hub.example.org{PREFIX}/a"),
        ("http://wiki:8080//evil", f"{PREFIX}//evil"),
        ("b/c", "b/c"),
        ("../b", f"{PREFIX}/b"),
        ("../../../b", f"{PREFIX}/b"),
        ("https://other.example.org/", "https://other.example.org/"),
        ("//cdn/x", "//cdn/x"),
        ("?..", "?.."),
        ("/\\evil", f"{PREFIX}/\\evil"),
        ("x:..", "x:.."),
    ],
)
def test_urls_of_an_app_that_does_not_know_its_prefix(url: str, seen: str) -> None:
    assert located(STRIPPED, url) == seen


@pytest.mark.parametrize(
    ("url", "seen"),
    [("/base/a", "/a"), ("/base", "/"), ("/base?a", "/?a"), ("/other", "/other"),
     ("/baset", "/baset")],
)  # fmt: skip
def test_urls_of_an_app_below_a_path(url: str, seen: str) -> None:
    assert located(BASED, url) == PREFIX + seen
    assert located(BASED, f"http://wiki:8080{url}") == PREFIX + seen


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF)), st.booleans())
def test_a_path_of_the_app_never_becomes_another_host(path: str, strips: bool) -> None:
    paths = STRIPPED if strips else PLAIN
    seen = located(paths, f"http://wiki:8080/{path}")

    try:
        host = urlsplit(urljoin("https://hub.example.org/x", seen.replace("\\", "/"))).netloc
    except ValueError:  # the path has brackets
        return
    assert host == "hub.example.org"


def test_a_request_path_that_looks_like_a_host_is_none() -> None:
    for path in ("//[/", "//other/"):
        locations = Locations(STRIPPED, Target(host="wiki", port=8080), "hub", "https", path)
        seen = locations.translate("../b")
        assert seen.startswith(f"{PREFIX}/")
        assert seen.endswith("/b")


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("5", "5"),
        ("5; url=/a", f"5; url={PREFIX}/a"),
        ("0;URL='/a' ", f"0;URL='{PREFIX}/a' "),
        ('0, url="http://wiki:8080/a"', f'0, url="{PREFIX}/a"'),
        ("1.5;/a", f"1.5;{PREFIX}/a"),
        ("3; url=b", "3; url=b"),
        ("; url=/a", "; url=/a"),
        (" " * 50_000, " " * 50_000),
    ],
)
def test_refresh(value: str, seen: str) -> None:
    locations = Locations(STRIPPED, Target(host="wiki", port=8080), "hub", "https", "/")

    assert locations.translate_refresh(value) == seen
