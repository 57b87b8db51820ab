"""The path of a web app without its slash."""

from __future__ import annotations

import pytest

from tests.support.proxy import PATH, Proxied, head, respond


@pytest.mark.parametrize("where", ["", "http://hub.example.org"])
async def test_an_app_that_redirects_to_its_path_without_slash_is_reached_there(
    proxied: Proxied, where: str
) -> None:
    bare = PATH.rstrip("/")
    proxied.upstream.script = respond(
        head("308 Permanent Redirect", f"Location: {where}{bare}", "Content-Length: 0")
    )
    first = await proxied.call("GET", bare)
    second = await proxied.call("GET", "")
    proxied.upstream.script = respond(head("200 OK", "Content-Length: 2") + b"ok")
    third = await proxied.call("GET", f"{bare}?a=1")

    assert (first.status, first.get("Location")) == (302, PATH)
    assert (second.status, second.get("Location")) == (308, f"{where}{bare}")
    assert second.get("Cache-Control") == "no-store"
    assert (third.status, third.body) == (200, b"ok")
    assert proxied.upstream.requests[-1].target == f"{bare}?a=1"


async def test_other_redirects_leave_the_slash(proxied: Proxied) -> None:
    bare = PATH.rstrip("/")
    for target, location in [("", "/elsewhere"), ("", f"http://other{bare}"), ("a/", bare)]:
        raw = head("301 Moved", f"Location: {location}", "Content-Length: 0")
        proxied.upstream.script = respond(raw)
        assert (await proxied.call("GET", target)).status == 301

        assert (await proxied.call("GET", bare)).get("Location") == PATH


@pytest.mark.parametrize("query", ["?region=eu&day=2%2F3+4", "?q=\u00fc", "?"])
async def test_the_redirect_to_the_slash_keeps_the_query(proxied: Proxied, query: str) -> None:
    response = await proxied.call("GET", f"{PATH.rstrip('/')}{query}")

    assert response.status == 302
    assert response.get("Location") == PATH + query.removesuffix("?").encode().decode("latin-1")
