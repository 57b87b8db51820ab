"""Links of pages that lead out of their app."""

from __future__ import annotations

import pytest

from tests.support.web_processes import PREFIX
from tornado_service.proxy.links import MAX_LINK, outside_link


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ('<link rel=stylesheet href="/static/app.css?v=1">', "/static/app.css"),
        ('<LINK HREF="/app.css" REL="stylesheet">', "/app.css"),
        ("<script type=module src='/assets/index.js'></script>", "/assets/index.js"),
        ("<script\n  src=/app.js></script>", "/app.js"),
        ('<base href="/">', "/"),
        ('<form method="post" action="/form#x">', "/form"),
        ('<img alt="" src="/logo.png">', "/logo.png"),
        ('<img src="a.png"><img src="/services/tornado-service-2.png">', ""),
        (f'<img src="/{"x" * 500}">', "/" + "x" * (MAX_LINK - 1)),
    ],
)
def test_a_link_out_of_the_app_is_found(page: str, link: str) -> None:
    assert outside_link(page.encode(), PREFIX) == link


@pytest.mark.parametrize(
    "page",
    [
        '<script src="static/app.js"></script><link rel=stylesheet href="./app.css">',
        '<script src="//cdn.example.org/app.js"></script><img src="https://example.org/a.png">',
        f'<base href="{PREFIX}/"><form action="{PREFIX}"><form action="{PREFIX}?page=2">',
        '<a href="/">Home</a><link rel=canonical href="/"><link rel="icon" href="/favicon.ico">',
        '<!-- <script src="/old.js"></script> -->',
        '<img src="/hub/logo"><script src="/services/other/app.js"></script>',
        '<img data-src="/a.png" src="a.png"><form action="">',
        "",
    ],
)
def test_other_links_are_right(page: str) -> None:
    assert outside_link(page.encode(), PREFIX) == ""


def test_the_hub_may_have_a_base_url() -> None:
    page = b'<img src="/lab/hub/logo">'

    assert outside_link(page, f"/lab{PREFIX}") == ""
    assert outside_link(page, PREFIX) == "/lab/hub/logo"


@pytest.mark.parametrize("part", [b"<!--", b"<img ", b"<img src", b"<link rel", b"<form action= "])
def test_a_hostile_page_is_read_once(part: bytes) -> None:
    assert outside_link(part * (1024 * 1024 // len(part)), PREFIX) == ""
