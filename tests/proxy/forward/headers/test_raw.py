"""Headers keep their order and the spelling of their names."""

from __future__ import annotations

import pytest

from tornado_service.proxy.forward.headers.raw import RawHeaders

LINES = [("x-b", "1"), ("Set-Cookie", "a"), ("X-A", "2"), ("set-cookie", "b")]


@pytest.fixture
def headers() -> RawHeaders:
    return RawHeaders(LINES)


def test_lines_stay_as_they_came(headers: RawHeaders) -> None:
    assert list(headers.get_all()) == LINES
    assert str(headers) == "x-b: 1\nSet-Cookie: a\nX-A: 2\nset-cookie: b\n"
    assert list(headers.copy().get_all()) == LINES


def test_names_are_found_in_any_case(headers: RawHeaders) -> None:
    assert headers["X-B"] == "1"
    assert headers["SET-COOKIE"] == "a,b"
    assert headers.get_list("set-Cookie") == ["a", "b"]
    assert headers.get("X-C") is None
    assert "x-a" in headers
    assert 1 not in headers
    assert len(headers) == len(list(headers)) == 3
    with pytest.raises(KeyError):
        headers["X-C"]


def test_they_change_like_those_of_tornado(headers: RawHeaders) -> None:
    headers["SET-COOKIE"] = "c"
    headers.add("X-A", "3")
    del headers["X-B"]
    headers.discard("X-B")

    assert list(headers.get_all()) == [("X-A", "2"), ("SET-COOKIE", "c"), ("X-A", "3")]
    with pytest.raises(KeyError):
        del headers["X-B"]
