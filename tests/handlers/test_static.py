"""Static files: their names, caching and compression."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files

from tornado_service.handlers.static import static_files
from tornado_service.testing import PREFIX, Fetch, StandInHub, Visitor

BUNDLE = "swagger/swagger-ui-bundle.js"


async def test_static_files_have_lasting_names(hub: StandInHub, visitor: Visitor) -> None:
    await visitor.open(PREFIX)
    paths = re.findall(rf'"({PREFIX}static/[^"]+)"', visitor.page)

    assert len(paths) == 5
    for path in paths:
        response = await visitor.get(path)
        assert response.code == 200, path
        assert "immutable" in response.headers["Cache-Control"]


async def test_static_files_are_read_before_the_first_page(start_service) -> None:
    static_files.cache_clear()

    await start_service()
    read = static_files.cache_info().currsize

    assert read == 1


async def test_a_static_file_by_its_plain_name_is_revalidated(fetch: Fetch) -> None:
    response = await fetch("static/service.js")

    assert response.headers["Cache-Control"] == "no-cache"
    assert (await fetch("static/../app.py")).code in (403, 404)
    assert (await fetch("static/%2e%2e/app.py")).code in (403, 404)


async def test_a_large_file_is_sent_compressed(fetch: Fetch) -> None:
    content = files("tornado_service").joinpath("static", BUNDLE).read_bytes()
    packed = await fetch(
        f"static/{BUNDLE}", headers={"Accept-Encoding": "gzip"}, decompress_response=False
    )
    plain = await fetch(f"static/{BUNDLE}", decompress_response=False)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == content
    assert (plain.headers.get("Content-Encoding"), plain.body) == (None, content)
