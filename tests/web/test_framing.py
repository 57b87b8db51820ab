"""Pages in frames of other sites: only those that an admin allows."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import TraitError

from tests.support.launched import only_line, run
from tornado_service.app import TornadoService
from tornado_service.testing import BROWSER, PREFIX, Fetch, ServiceConfig, Visitor

PATHS = ("", "nothing", "api/", "api/user", "health", "metrics", "logout", "static/service.css")
FRAME = {**BROWSER, "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


def frame_ancestors(policy: str) -> list[str]:
    directives = [directive.strip() for directive in policy.split(";")]
    return [each for each in directives if each.startswith("frame-ancestors ")]


async def test_no_response_may_be_framed(fetch: Fetch) -> None:
    for path in PATHS:
        policy = (await fetch(path, headers=BROWSER)).headers["Content-Security-Policy"]
        assert frame_ancestors(policy) == ["frame-ancestors 'none'"], path


async def test_a_frame_begins_no_sign_in(fetch: Fetch) -> None:
    response = await fetch("", headers=FRAME)

    assert response.code == 401
    assert "Set-Cookie" not in response.headers


class TestWithASiteThatIsAllowed:
    @pytest.fixture
    def service_config(self) -> ServiceConfig:
        return {"TornadoService": {"frame_ancestors": "'self'  https://lms.example.org"}}

    async def test_it_is_named_in_every_response(self, fetch: Fetch) -> None:
        for path in PATHS:
            policy = (await fetch(path, headers=BROWSER)).headers["Content-Security-Policy"]
            assert frame_ancestors(policy) == ["frame-ancestors 'self' https://lms.example.org"]
            assert policy.startswith("default-src 'none'; ")

    async def test_a_frame_signs_in(self, visitor: Visitor) -> None:
        begun = await visitor.get(PREFIX, headers=FRAME)
        callback = await visitor.get(begun.headers["Location"], headers=FRAME)
        await visitor.get(callback.headers["Location"], headers=FRAME)

        page = await visitor.get(PREFIX, headers=FRAME)
        assert page.code == 200
        assert b"<strong>ada</strong>" in page.body


@pytest.mark.parametrize(
    ("sources", "kept"),
    [
        ("'none'", "'none'"),
        ("'NONE'", "'none'"),
        (" 'self' ", "'self'"),
        ("lms.example.org", "lms.example.org"),
        ("https://lms.example.org:8443/course/", "https://lms.example.org:8443/course/"),
        ("https://*.example.org http://localhost:*", "https://*.example.org http://localhost:*"),
        ("https:", "https:"),
        ("*", "*"),
    ],
)
def test_what_may_be_set(sources: str, kept: str) -> None:
    assert TornadoService(frame_ancestors=sources).frame_ancestors == kept


@pytest.mark.parametrize(
    ("sources", "reported"),
    [
        ("", "write sites as"),
        ("none", "in single quotes"),
        ("self https://lms.example.org", "in single quotes"),
        ("'none' https://lms.example.org", "stands alone"),
        ("https://lms.example.org; script-src *", "write sites as"),
        ("https://lms.example.org, https://other.example.org", "write sites as"),
        ("https://lms.example.org\r\nSet-Cookie: a=b", "write sites as"),
        ("https://lms.example.org\nhttps://other.example.org", "write sites as"),
        ("https://lms.example.org\thttps://other.example.org", "write sites as"),
        ("https://lms.exämple.org", "write sites as"),
        ("https://lms.example.org?x", "write sites as"),
        ("'unsafe-inline'", "write sites as"),
        ("https://", "write sites as"),
    ],
)
def test_what_is_no_site_is_refused(sources: str, reported: str) -> None:
    with pytest.raises(TraitError, match=reported):
        TornadoService(frame_ancestors=sources)


def test_a_wrong_one_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("c.TornadoService.frame_ancestors = 'none'\n")

    result = run("--config=settings.py", cwd=tmp_path)

    assert result.returncode == 2
    assert "'none' stands alone" in only_line(result)
