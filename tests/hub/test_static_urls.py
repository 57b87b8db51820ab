"""The style of the hub, from the installed package."""

from __future__ import annotations

import gzip
import posixpath
import re
from pathlib import Path

import pytest
from jupyterhub import _data

from tornado_service.hub import static_urls as hub_static
from tornado_service.hub.static_urls import FILES, STYLE_SHEET, hub_static_files
from tornado_service.testing import PREFIX, Fetch, StandInHub, StartService, Visitor


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The static folder of a jupyterhub package, without files yet."""
    caches = (hub_static.hub_static_files, hub_static.hub_static_digest)
    monkeypatch.setattr(_data, "DATA_FILES_PATH", str(tmp_path / "share"))
    for cached in caches:
        cached.cache_clear()
    yield tmp_path / "share" / "static"
    for cached in caches:
        cached.cache_clear()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_installed_package_has_every_file() -> None:
    """If a later JupyterHub moves one of them, pages lose their style: change the path."""
    assert set(FILES) <= set(hub_static_files())


def test_whatever_its_style_sheets_refer_to_is_served() -> None:
    files = hub_static_files()
    referred = {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))
        for path, content in files.items()
        if path.endswith(".css")
        for reference in re.findall(r'(?:@import|url\()"([^":]+)"', content.decode())
    }

    assert referred
    assert referred <= set(files)


def test_references_of_all_spellings_are_followed_and_none_out_of_the_folder(package: Path) -> None:
    css = """
        @import"../a/plain.css"; @import url( 'quoted.css?v=1' ); @import url(https://else.where/x.css);
        b { src: url(../fonts/f.woff2#iefix), url("data:font/woff2;base64,AA=="), url(/hub/logo) }
        i { background: url(../../../secret.png), url(missing.png), url(#gradient) }
    """
    secret = package.parent / "secret.png"
    write(
        package,
        **{STYLE_SHEET: css, "css/quoted.css": "@import 'style.min.css'", "fonts/f.woff2": "f"},
    )
    write(package, **{"a/plain.css": "u { background: url(deep/d.png) }", "a/deep/d.png": "d"})
    secret.write_text("s")

    assert sorted(hub_static_files()) == [
        "a/deep/d.png", "a/plain.css", "css/quoted.css", STYLE_SHEET, "fonts/f.woff2",
    ]  # fmt: skip


async def test_files_are_cached_until_any_of_them_changes(
    hub: StandInHub, fetch: Fetch, visitor: Visitor
) -> None:
    await visitor.open(PREFIX)
    (path,) = re.findall(rf'"({PREFIX}static/jupyterhub/[^"]+style\.min\.css)"', visitor.page)
    headers = {"Accept-Encoding": "gzip"}

    current = await fetch(path, headers=headers, decompress_response=False)
    of_an_earlier_version = await fetch(
        re.sub("jupyterhub/[0-9a-f]+", "jupyterhub/0123456789ab", path)
    )
    font = await fetch(path.replace(STYLE_SHEET, font_path()), headers=headers)

    assert "immutable" in current.headers["Cache-Control"]
    assert current.headers["Content-Type"].startswith("text/css")
    assert gzip.decompress(current.body) == hub_static_files()[STYLE_SHEET]
    assert of_an_earlier_version.headers["Cache-Control"] == "no-cache"
    assert of_an_earlier_version.code == font.code == 200
    assert "Content-Encoding" not in font.headers
    for other in ("scss/page.scss", "../../../secret.png", "css/"):
        assert (await fetch(path.replace(STYLE_SHEET, other))).code == 404


def font_path() -> str:
    return next(path for path in hub_static_files() if path.endswith(".woff2"))


async def test_without_these_files_a_page_is_plain_and_readable(
    package: Path, start_service: StartService, hub: StandInHub, client
) -> None:
    service = await start_service()
    address = f"http://127.0.0.1:{service.port}{service.prefix}"
    headers = {"Authorization": f"token {hub.token_for('ada')}"}

    page = (await client.fetch(address, headers=headers)).body.decode()

    assert "signed in to JupyterHub as <strong>ada</strong>" in page
    assert "static/jupyterhub/" not in page
    assert 'href=""' not in page
    assert 'src=""' not in page


async def test_no_page_waits_for_the_hub(visitor: Visitor, hub: StandInHub) -> None:
    """A style sheet or script of the hub's in the head keeps the page blank until it arrives."""
    pages = [(await visitor.open(PREFIX), visitor.page)]
    hub.fault = "error"
    pages.append((await visitor.open(f"{PREFIX}nothing"), visitor.page))

    for _, page in pages:
        for tag in re.findall(r"<(?:link|script)[^>]*(?:href|src)=\"/hub/[^>]*>", page):
            assert 'rel="icon"' in tag or " disabled " in tag
