"""Gradio: a queue whose results are server-sent events, and uploads."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import expect

from tests.web_apps.conftest import OpenApp

SIZE = 50 * 1024 * 1024


def test_results_arrive_one_by_one(open_app: OpenApp, errors: list[str]) -> None:
    page = open_app("gradio")
    expect(page.get_by_text("Signed in as sam")).to_be_visible()
    page.get_by_label("Sales").fill("5")
    page.get_by_role("button", name="Count").click()

    expect(page.get_by_label("Counted")).to_have_value("5 sales")
    assert errors == []


def test_a_file_of_50_mib_is_uploaded_and_downloaded(open_app: OpenApp, tmp_path: Path) -> None:
    content = os.urandom(SIZE)
    file = tmp_path / "report.bin"
    file.write_bytes(content)
    page = open_app("gradio")
    page.locator("input[type=file]").set_input_files(file)

    expect(page.get_by_label("Size")).to_have_value(f"{SIZE} bytes")
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    download.value.save_as(tmp_path / "copy.bin")
    assert (tmp_path / "copy.bin").read_bytes() == content
