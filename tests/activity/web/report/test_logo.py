from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from traitlets import TraitError

from tornado_service.activity import Activity
from tornado_service.activity.web.report import logo
from tornado_service.activity.web.report.document import Image
from tornado_service.activity.web.report.logo import MAX_LOGO, hub_logo, read_logo
from tornado_service.hub.client import HubClient
from tornado_service.network import TLSFiles
from tornado_service.telemetry.metrics import Metrics

PNG = b"\x89PNG\r\n\x1a\n of a logo"

#: What a hub sends, by the base URL at which it is asked.
RESPONSES = {
    "png": (200, "image/png", PNG),
    "svg": (200, "image/svg+xml; charset=utf-8", b"<svg/>"),
    "page": (200, "text/html", b"<p>Sign in</p>"),
    "untyped": (200, "", PNG),
    "missing": (404, "image/png", PNG),
    "moved": (302, "image/png", PNG),
    "broken": (500, "image/png", PNG),
    "largest": (200, "image/png", b"x" * MAX_LOGO),
    "too-large": (200, "image/png", b"x" * (MAX_LOGO + 1)),
}


class Logo(RequestHandler):
    async def get(self, name: str) -> None:
        if name == "hanging":
            await asyncio.sleep(30)
        status, content_type, body = RESPONSES[name]
        self.set_status(status)
        self.set_header("Location", "/png/hub/logo")
        self.set_header("Content-Type", content_type)
        self.write(body)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The URL of a server that has several hubs."""
    socket, port = bind_unused_port()
    quiet = Application([("/([^/]+)/hub/logo", Logo)], log_function=lambda handler: None)
    server = HTTPServer(quiet)
    server.add_socket(socket)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await server.close_all_connections()


async def fetched(address: str, name: str) -> Image | None:
    hub = HubClient(Metrics(), TLSFiles(), api_url=f"{address}/{name}/hub/api")
    return await hub_logo(hub)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("png", Image(PNG, "image/png")), ("svg", Image(b"<svg/>", "image/svg+xml")),
        ("largest", Image(b"x" * MAX_LOGO, "image/png")), ("page", None), ("untyped", None),
        ("missing", None), ("moved", None), ("broken", None), ("too-large", None),
    ],
)  # fmt: skip
async def test_the_logo_of_the_hub(address: str, name: str, image: Image | None) -> None:
    assert await fetched(address, name) == image


async def test_a_report_does_not_wait_long_for_a_hub(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logo, "MAX_WAIT", 0.2)

    assert await asyncio.wait_for(fetched(address, "hanging"), 20) is None


async def test_a_hub_that_is_not_there_has_no_logo() -> None:
    socket, port = bind_unused_port()
    socket.close()

    assert await fetched(f"http://127.0.0.1:{port}", "png") is None


def test_a_file_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    image = read_logo(str(tmp_path / "logo.png"))

    assert image == Image(PNG, "image/png")
    assert image.data_url.startswith("data:image/png;base64,iVBORw0K")
    assert read_logo("") is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("logo.txt", PNG, "is not an image by its name; name a file such as logo.png"),
        ("logo", PNG, "is not an image by its name"),
        ("none.png", None, "cannot be read: No such file or directory"),
        ("large.png", b"x" * (MAX_LOGO + 1), "has more than 300,000 bytes"),
    ],
)
def test_a_file_that_is_no_logo_is_an_error_of_the_settings(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ValueError, match=reason):
        read_logo(str(file))
    with pytest.raises(TraitError, match="Activity.report_logo: '.*" + reason):
        Activity(report_logo=str(file))


def test_a_file_that_is_gone_later_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "logo.svg"
    file.write_bytes(b"<svg/>")
    app = Activity(report_logo=str(file))
    assert app.own_logo == Image(b"<svg/>", "image/svg+xml")
    file.unlink()

    assert app.own_logo == Image(b"<svg/>", "image/svg+xml")
