"""The board with a stand-in for the hub."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from notices.board import Row, now

from tornado_service.testing import AppError

WRITE = "custom:notices:write"
API = "notices/api/notices"


@pytest.fixture
def writer(hub) -> str:
    """The token of ines, who may write."""
    return hub.token_for("ines", (WRITE,))


@pytest.fixture
def reader(hub) -> str:
    """The token of sam, who may not, and is in a group."""
    return hub.token_for("sam", groups=["class-a"])


def notice(text: str = "Restart at 17:00", **more: object) -> dict[str, object]:
    return {"method": "POST", "json": {"text": text, **more}}


async def texts(fetch, token: str) -> list[str]:
    return [notice["text"] for notice in json.loads((await fetch(API, token=token)).body)]


async def test_a_writer_posts_and_removes_a_notice(fetch, writer, reader) -> None:
    posted = await fetch(API, token=writer, **notice(level="warning", hours=2))

    assert posted.code == 201
    (seen,) = json.loads((await fetch(API, token=reader)).body)
    assert seen == json.loads(posted.body)
    assert (seen["text"], seen["author"], seen["level"]) == ("Restart at 17:00", "ines", "warning")
    posted_at, until = (
        datetime.strptime(seen[name], "%Y-%m-%dT%H:%M:%S.%f%z") for name in ("posted", "until")
    )
    assert until - posted_at == timedelta(hours=2)

    address = f"{API}/{seen['id']}"
    assert (await fetch(address, token=reader, method="DELETE")).code == 403
    assert (await fetch(address, token=writer, method="DELETE")).code == 204
    assert (await fetch(address, token=writer, method="DELETE")).code == 404
    assert await texts(fetch, reader) == []


async def test_other_users_may_not_write(fetch, reader) -> None:
    assert (await fetch(API, **notice())).code == 401
    assert (await fetch(API, token=reader, **notice())).code == 403


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"hours": 0}, {"hours": "2"}, {"level": "loud"}, {"text": "x" * 1001}]
)
async def test_errors_are_reported_by_field(fetch, writer, wrong) -> None:
    response = await fetch(API, token=writer, **notice(**{"text": "x", **wrong}))

    assert response.code == 400
    assert json.loads(response.body)["errors"][0]["field"] in wrong


async def test_a_group_reads_its_own_notices(fetch, hub, writer, reader) -> None:
    for group in ("", "class-a", "class-b"):
        await fetch(API, token=writer, **notice(group or "all", group=group))

    assert await texts(fetch, writer) == ["class-b", "class-a", "all"]
    assert await texts(fetch, reader) == ["class-a", "all"]
    assert await texts(fetch, hub.token_for("kim")) == ["all"]


async def test_open_pages_receive_the_events_that_their_readers_may_see(
    fetch, writer, reader
) -> None:
    async with fetch.listen("notices/api/events", token=reader) as events:
        await fetch(API, token=writer, **notice("not for sam", group="class-b"))
        posted = json.loads((await fetch(API, token=writer, **notice())).body)
        await fetch(f"{API}/{posted['id']}", token=writer, method="DELETE")

        first, second = await events.read(2)

    assert (first.name, first.json) == ("posted", posted)
    assert (second.name, second.json["id"]) == ("removed", posted["id"])


async def test_the_form_posts_a_notice_and_the_button_removes_it(new_visitor, hub) -> None:
    hub.directory.add_user("sam")
    hub.directory.add_server("sam")
    hub.grant("ines", WRITE)
    ines = new_visitor("ines")
    await ines.open("notices/")
    assert "1 person has a server running now." in ines.page

    form = {"text": "<b>Restart", "level": "warning", "hours": "2", "group": ""}
    assert (await ines.post("notices/", form)).code == 200
    assert "<strong>Warning:</strong> &lt;b&gt;Restart</p>" in ines.page

    notice_id = ines.page.partition('name="id" value="')[2].partition('"')[0]
    await ines.post("notices/remove", {"id": notice_id})
    assert "There are no notices." in ines.page

    wrong = await ines.post("notices/", {**form, "hours": "-1"})
    assert wrong.code == 400
    assert "Go back and look at: hours." in ines.page


async def test_a_reader_sees_no_form_and_cannot_send_one(visitor) -> None:
    await visitor.open("notices/")

    assert "There are no notices." in visitor.page
    assert 'class="new"' not in visitor.page
    assert (await visitor.post("notices/", {"text": "x"})).code == 403
    assert (await visitor.post("notices/remove", {"id": "x"})).code == 403


@pytest.mark.parametrize("refused", [True, False])
async def test_the_page_works_without_data_that_the_hub_does_not_return(
    new_visitor, hub, service, refused
) -> None:
    hub.grant("ines", WRITE)
    ines = new_visitor("ines")
    await ines.open()
    if refused:
        hub.service_scopes.clear()
    else:
        hub.fault = "error"

    assert (await ines.open("notices/")).code == 200
    assert "server running" not in ines.page


async def test_a_restart_keeps_the_notices(fetch, writer, service_config, start_service) -> None:
    await fetch(API, token=writer, **notice())

    again = await start_service(**service_config)

    (mount,) = again.app_manager
    shown = await asyncio.to_thread(mount.app.board.shown)
    assert [notice.text for notice in shown] == ["Restart at 17:00"]


async def test_an_expired_notice_is_removed(fetch, reader, service) -> None:
    (mount,) = service.app_manager
    old = {"text": "Old", "level": "info", "group": "", "author": "ines", "posted": now()}

    def keep() -> None:
        with mount.app.sessions.writing() as session:
            session.add(Row(id="ab12", until=now(), **old))
            session.add(Row(id="cd34", until=now() + timedelta(hours=1), **old))

    async with fetch.listen("notices/api/events", token=reader) as events:
        await asyncio.to_thread(keep)
        (event,) = await events.read(1)

    assert (event.name, event.json["id"]) == ("removed", "ab12")
    assert [notice.id for notice in await asyncio.to_thread(mount.app.board.shown)] == ["cd34"]


async def test_a_file_of_another_program_is_not_changed(
    tmp_path: Path, start_service, service_config
) -> None:
    file = tmp_path / "notices.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER)")
    before = file.read_bytes()

    with pytest.raises(AppError, match="belongs to another program"):
        await start_service(**service_config)

    assert file.read_bytes() == before


async def test_a_notice_that_cannot_be_stored_is_not_shown(
    fetch, writer, reader, tmp_path: Path
) -> None:
    file = tmp_path / "notices.sqlite"
    elsewhere = file.rename(tmp_path / "elsewhere.sqlite")

    assert (await fetch(API, token=writer, **notice())).code == 503

    elsewhere.rename(file)
    assert await texts(fetch, reader) == []
