from __future__ import annotations

import os
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from tornado_service.handlers.templates import make_jinja_env
from tornado_service.testing import BROWSER, PREFIX, StartService


async def test_no_page_waits_for_a_check_of_its_template(
    start_service: StartService, client: AsyncHTTPClient, tmp_path: Path
) -> None:
    """A changed template is used after the next start."""
    template = tmp_path / "error.html"
    template.write_text("before")
    service = await start_service(TornadoService={"template_paths": [str(tmp_path)]})
    url = f"http://127.0.0.1:{service.port}{PREFIX}nothing"

    pages = []
    for text in ("after", "and after"):
        pages.append((await client.fetch(url, headers=BROWSER, raise_error=False)).body)
        template.write_text(text)
        os.utime(template, (0, 0))

    assert pages == [b"before", b"before"]


def test_a_template_is_compiled_once_for_all_apps_and_anew_if_it_changes(tmp_path: Path) -> None:
    template = tmp_path / "error.html"
    template.write_text("before")
    paths = [str(tmp_path)]
    first, second = (make_jinja_env(paths).get_template("error.html") for _ in range(2))
    template.write_text("after")
    changed = make_jinja_env(paths).get_template("error.html")

    assert first.root_render_func.__code__ is second.root_render_func.__code__
    assert [page.render() for page in (first, second, changed)] == ["before", "before", "after"]
