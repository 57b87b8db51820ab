"""The board in a real hub and a real browser."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen


def test_an_open_page_shows_a_new_notice_and_removes_it(real_hub, open_page, complaints) -> None:
    sams = open_page("notices/", "sam")
    assert sams.get_by_text("There are no notices.").is_visible()
    assert sams.get_by_role("button", name="Put up").count() == 0

    ines = open_page("notices/", "ines")
    assert ines.get_by_text("people have a server running now").is_visible()
    ines.get_by_label("Text").fill("Restart at 17:00\nSave your work")
    ines.get_by_label("Kind").select_option("a warning")
    ines.get_by_role("button", name="Put up").click()

    sams.get_by_text("Warning: Restart at 17:00").wait_for()
    ines.get_by_role("button", name="Take down").click()
    sams.get_by_text("There are no notices.").wait_for()
    assert complaints == []


def test_a_program_writes_with_a_token(real_hub) -> None:
    token = real_hub.token_for("ines", ["custom:notices:write"])
    request = Request(
        f"{real_hub.service_public_url}notices/api/notices",
        data=json.dumps({"text": "Backup done", "hours": 1}).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )

    with urlopen(request, timeout=20) as response:
        assert json.loads(response.read())["author"] == "ines"
