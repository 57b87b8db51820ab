"""Last month's report is mailed once, when the month is over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.course import app_of
from tests.support.activity.mailing import (
    FEBRUARY,
    HOUR,
    Start,
    attachment_of,
    mail,
    write_until,
)
from tests.support.mail_server import MailServer
from tests.support.streaming import until
from tornado_service.activity import Activity
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.copy import copy_history
from tornado_service.activity.store.store import Store
from tornado_service.testing import Fetch, StandInHub


async def test_the_report_of_last_month_is_mailed_once(
    start: Start, smtp_server: MailServer, hub: StandInHub, client: AsyncHTTPClient
) -> None:
    service = await start()
    assert await mail(service) == ""
    assert await mail(service) == ""

    [sent] = smtp_server.deliveries
    assert sent.recipients == ["dean@x.org", "cio@x.org"]
    message = sent.message
    assert message["Subject"] == "Usage: January 2026 - Hub der Universität"
    body = message.get_body()
    assert body
    assert body.get_content().startswith("In January 2026, at least 1 user ")
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == "report-2026-01.html"
    token = hub.token_for("root", ("list:users", "list:groups", "read:groups"))
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    page = await fetch("activity/report.html?from=2026-01-01&to=2026-01-31", token=token)
    assert attachment_of(message) == page.body
    assert b"bob" not in page.body  # nor any other user


async def test_a_restart_and_a_second_process_mail_nothing_more(
    start: Start, smtp_server: MailServer
) -> None:
    services = [await start(), await start()]
    assert await asyncio.gather(*map(mail, services)) == ["", ""]
    assert len(smtp_server.deliveries) == 1

    assert await mail(await start()) == ""
    assert len(smtp_server.deliveries) == 1


async def test_of_several_replicas_the_one_that_collects_mails(
    start: Start, smtp_server: MailServer, january: Path, shared_url: str
) -> None:
    source, target = open_database(f"sqlite:///{january}"), open_database(shared_url)
    copy_history(source, target)
    for database in (source, target):
        database.close()
    services = [await start(shared_url=shared_url) for _ in range(3)]
    leader, *others = sorted(services, key=lambda service: not app_of(service).recorder.collects)

    for service in others:
        assert await mail(service) == ""
    assert not smtp_server.deliveries

    for service in (leader, *others):
        assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1

    await leader.app_manager.stop()  # another one takes over, and finds that it was mailed
    await until(lambda: any(app_of(service).recorder.collects for service in others))
    for service in others:
        assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1


async def test_it_is_mailed_soon_after_the_first_sample(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Activity.mail_report, "_periodic", 0.05)

    await start()

    await until(lambda: len(smtp_server.deliveries) == 1)


@pytest.mark.parametrize(
    ("zone", "after", "is_over"),
    [
        ("UTC", -1, False),
        ("UTC", 0, True),
        ("America/New_York", 5 * HOUR - 1, False),
        ("America/New_York", 5 * HOUR, True),
        ("Asia/Tokyo", -9 * HOUR, True),
    ],
)
async def test_the_time_zone_decides_when_a_month_is_over(
    start: Start, smtp_server: MailServer, january: Path, tmp_path: Path,
    zone: str, after: int, is_over: bool,
) -> None:  # fmt: skip
    await write_until(tmp_path / "activity.sqlite", min(after, 0) - 1)
    service = await start(after, timezone=zone)

    assert await mail(service) == ""
    assert len(smtp_server.deliveries) == is_over


async def test_a_month_without_data_has_no_report(start: Start, smtp_server: MailServer) -> None:
    service = await start(28 * 24 * HOUR + 31 * 24 * HOUR)  # nothing of March

    assert await mail(service) == ""
    assert smtp_server.deliveries == []


async def test_nothing_is_mailed_before_a_sample_of_the_next_month_is_stored(
    start: Start, smtp_server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_until(tmp_path / "activity.sqlite", -HOUR)

    async def fail(*_: Any) -> bool:
        return False

    with monkeypatch.context() as full:
        full.setattr(Store, "add", fail)
        service = await start(is_stored=False)
        assert await mail(service) == ""
        assert smtp_server.commands == []

    await app_of(service).recorder.collector.collect(FEBRUARY + HOUR)
    assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1


async def test_without_recipients_nothing_is_mailed_nor_missed(
    start: Start, smtp_server: MailServer
) -> None:
    assert await mail(await start(report_recipients=[], smtp_host="")) == ""
    assert smtp_server.commands == []


@pytest.mark.parametrize("scopes", [{"list:groups", "read:groups"}, {"list:groups"}, set()])
async def test_groups_are_those_that_the_service_may_read(
    start: Start, smtp_server: MailServer, hub: StandInHub, scopes: set[str]
) -> None:
    service = await start()
    hub.service_scopes -= {"list:groups", "read:groups"} - scopes
    assert await mail(service) == ""

    content = attachment_of(smtp_server.deliveries[0].message)
    assert (b"class-a" in content) is (len(scopes) == 2)
    assert (b"the permission to list them is missing" in content) is (len(scopes) < 2)
