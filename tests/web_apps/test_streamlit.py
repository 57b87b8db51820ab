"""Streamlit: all of its interface is a WebSocket."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web_apps.conftest import OpenApp
from tornado_service.testing import RealHub
from tornado_service.testing.playwright import OpenPage

SIZE = 50 * 1024 * 1024


@pytest.fixture
def page(open_app: OpenApp) -> Page:
    page = open_app("streamlit")
    expect(page.get_by_role("heading", name="Sales")).to_be_visible()
    return page


def add(page: Page) -> None:
    page.get_by_role("button", name="Add a sale").click()


def test_a_click_changes_the_page_over_a_websocket(page: Page, errors: list[str]) -> None:
    with page.expect_websocket() as opened:
        page.reload()
    assert opened.value.url.endswith("/streamlit/_stcore/stream")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    for sales in (1, 2):
        add(page)
        expect(page.get_by_text(f"{sales} sales")).to_be_visible()

    assert not opened.value.is_closed()
    assert errors == []


def test_each_user_has_a_page_and_a_session(page: Page, open_app: OpenApp) -> None:
    other = open_app("streamlit", "kim")
    add(page)

    expect(page.get_by_text("1 sales")).to_be_visible()
    expect(other.get_by_text("Signed in as kim")).to_be_visible()
    expect(other.get_by_text("0 sales")).to_be_visible()


def test_a_file_of_50_mib_is_uploaded(page: Page, tmp_path: Path, errors: list[str]) -> None:
    file = tmp_path / "report.bin"
    file.write_bytes(os.urandom(SIZE))
    page.locator("input[type=file]").set_input_files(file)

    expect(page.get_by_text(f"report.bin has {SIZE} bytes")).to_be_visible()
    assert errors == []


def test_a_file_is_downloaded(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == "sales.csv"
    download.value.save_as(tmp_path / "sales.csv")
    assert (tmp_path / "sales.csv").read_bytes() == b"sales\r\n" * 1000


def test_back_and_reload_open_the_app_again(page: Page, real_hub: RealHub) -> None:
    page.goto(f"{real_hub.service_prefix}home")
    page.go_back()
    add(page)
    expect(page.get_by_text("1 sales")).to_be_visible()
    page.reload()
    expect(page.get_by_text("0 sales")).to_be_visible()


def test_an_app_that_is_killed_comes_back_in_the_open_page(page: Page, real_hub: RealHub) -> None:
    add(page)
    expect(page.get_by_text("1 sales")).to_be_visible()
    os.kill(pid_of(f"--server.baseUrlPath={real_hub.service_prefix}streamlit"), signal.SIGKILL)

    with page.expect_websocket(timeout=60_000):
        pass  # Streamlit's page connects again by itself
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    add(page)
    expect(page.get_by_text("1 sales")).to_be_visible()


def test_logout_closes_the_websocket(page: Page, real_hub: RealHub) -> None:
    with page.expect_websocket() as opened:
        page.reload()
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{real_hub.service_prefix}logout")
    with opened.value.expect_event("close"):
        other.get_by_role("main").get_by_role("button", name="Logout").click()


def test_the_dashboard_of_the_guide_is_shared_with_a_group(
    open_app: OpenApp, open_page: OpenPage
) -> None:
    page = open_app("sales")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    page.goto("home")
    expect(page.get_by_role("main").get_by_role("link", name="Sales")).to_be_visible()

    other = open_page("sales/", "kim")
    expect(other.get_by_role("main")).to_contain_text("kim is signed in, but may not open Sales")
    other.goto("home")
    expect(other.get_by_role("main").get_by_role("link", name="Files")).to_be_visible()
    expect(other.get_by_role("main").get_by_role("link", name="Sales")).to_have_count(0)


def pid_of(argument: str) -> int:
    """The process with this argument; the service's launcher of it has all arguments, too."""
    commands = {
        int(directory.name): (directory / "cmdline").read_bytes().split(b"\0")
        for directory in Path("/proc").glob("[0-9]*")
    }
    found = [pid for pid, command in commands.items() if argument.encode() in command]
    return min(found, key=lambda pid: len(commands[pid]))
