"""A failure is a line of the log and a finding, and the report is tried again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.activity.course import app_of
from tests.support.activity.mailing import (
    FEBRUARY,
    HOUR,
    Start,
    at,
    mail,
)
from tests.support.logs import Listener
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.streaming import until
from tornado_service.activity.history.archive import TooManyFigures
from tornado_service.activity.mail import monthly
from tornado_service.activity.store.store import HistoryUnavailable
from tornado_service.testing import Fetch, StandInHub, StartService


async def test_a_failure_is_a_finding_and_a_line_of_the_log(
    capsys: pytest.CaptureFixture[str],
    start: Start,
    smtp_server: MailServer,
    hub: StandInHub,
    client: AsyncHTTPClient,
) -> None:  # fmt: skip
    smtp_server.replies = {"AUTH": f"535 id-1 {PASSWORD}"}
    service = await start(smtp_user=USER, smtp_password=PASSWORD)

    problem = await mail(service)
    smtp_server.replies = {"AUTH": f"535 id-2 {PASSWORD}"}
    assert (await mail(service)).replace("id-2", "id-1") == problem
    assert problem == (
        f"The report of 2026-01 was not mailed: localhost:{smtp_server.port} refuses the sign-in"
        " (535 id-1 [secret]): check c.Activity.smtp_user and c.Activity.smtp_password."
    )
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    token = hub.token_for("root", ("read:hub",), admin=True)
    page = (await fetch("status", token=token)).body.decode()
    status = (await fetch("api/status", token=token)).body.decode()
    assert "The report of 2026-01 was not mailed" in page
    assert json.loads(status)["status"] == "wrong"
    assert json.loads(status)["apps"][0]["state"] == "ready"
    assert (await fetch("health/ready")).code == 200
    assert (await fetch("activity/", token=token)).code == 200

    smtp_server.replies = {}
    assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1
    assert "was not mailed" not in (await fetch("status", token=token)).body.decode()
    log = capsys.readouterr().err
    assert log.count("The report of 2026-01 was not mailed: localhost:") == 1
    assert log.count("The report of 2026-01 was mailed") == 1
    assert PASSWORD not in page + status + log + repr(app_of(service).report_mailer)


async def test_a_failure_is_tried_again_after_an_hour(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp_server.replies = {"MAIL": "451 later"}
    app = app_of(await start())
    await app.mail_report()
    smtp_server.replies = {}
    now = monthly.time.monotonic()
    for seconds, mailed in [(0, 0), (3500, 0), (3700, 1)]:
        monkeypatch.setattr(monthly.time, "monotonic", lambda later=seconds: now + later)
        await app.mail_report()
        assert len(smtp_server.deliveries) == mailed
    monkeypatch.undo()


async def test_a_restart_tries_again_at_once(start: Start, smtp_server: MailServer) -> None:
    smtp_server.replies = {"MAIL": "451 later"}
    assert await mail(await start())
    smtp_server.replies = {}

    await app_of(await start()).mail_report()

    assert len(smtp_server.deliveries) == 1


async def test_what_another_process_has_mailed_is_no_problem_any_more(
    start: Start, smtp_server: MailServer
) -> None:
    first, second = await start(), await start()
    smtp_server.replies = {"MAIL": "451 later"}
    assert await mail(first)
    smtp_server.replies = {}
    assert await mail(second) == ""

    assert await mail(first) == ""
    assert len(smtp_server.deliveries) == 1


async def test_the_report_is_dropped_when_the_next_month_is_over(
    start: Start, smtp_server: MailServer, hub: StandInHub
) -> None:
    smtp_server.replies = {"MAIL": "451 later"}
    service = await start()
    assert await mail(service)
    for after in (HOUR + 300, 28 * 24 * HOUR + 1):
        hub.date = at(after)
        await app_of(service).recorder.collector.collect(FEBRUARY + after)

    with Listener(service) as lines:
        assert "The report of 2026-02 was not mailed" in await mail(service)
        smtp_server.replies = {}
        assert await mail(service) == ""

    assert lines[0] == (
        "The report of 2026-01 was not mailed, and is not tried again, as the next month is over"
    )
    assert len(lines) == 2
    [sent] = smtp_server.deliveries
    assert "February 2026" in sent.message["Subject"]


async def test_one_of_the_recipients_is_refused(start: Start, smtp_server: MailServer) -> None:
    smtp_server.replies = {"RCPT TO:<cio@x.org>": "550 5.1.1 unknown"}
    service = await start()

    with Listener(service) as lines:
        problem = await mail(service)
        assert await mail(service) == problem

    assert problem == (
        f"The report of 2026-01 was mailed to others, but localhost:{smtp_server.port} refuses the"
        " recipient cio@x.org (550 5.1.1 unknown): check c.Activity.report_recipients."
    )
    assert lines == [problem]
    assert [sent.recipients for sent in smtp_server.deliveries] == [["dean@x.org"]]
    assert await mail(await start()) == ""
    assert len(smtp_server.deliveries) == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"smtp_host": ""}, "c.Activity.smtp_host"),
        ({"smtp_host": "", "smtp_sender": ""}, "c.Activity.smtp_host and c.Activity.smtp_sender"),
        ({"database_url": ""}, "c.Activity.database_url"),
    ],
)
async def test_settings_that_are_missing_are_reported_at_the_start(
    capsys: pytest.CaptureFixture[str],
    start_service: StartService,
    tmp_path: Path,
    settings: dict[str, str],
    named: str,
) -> None:  # fmt: skip
    given = {"smtp_host": "mail.test", "smtp_sender": "hub@example.org",
             "database_url": f"sqlite:///{tmp_path}/activity.sqlite"}  # fmt: skip
    service = await start_service(
        TornadoService={"apps": ["tornado_service.activity:Activity"]},
        Activity={"report_recipients": ["dean@x.org"], **given, **settings},
    )
    app = app_of(service)

    await until(lambda: f"Reports cannot be mailed: set {named}." in app.problem)
    await app.mail_report()

    assert capsys.readouterr().err.count("Reports cannot be mailed") == 1


async def test_a_server_that_hangs_holds_up_neither_requests_nor_the_stop(
    start: Start, smtp_server: MailServer, client: AsyncHTTPClient
) -> None:
    smtp_server.replies = {"DATA": "hang"}  # for longer than this test may take
    service = await start()
    mailing = asyncio.create_task(app_of(service).mail_report())
    await until(lambda: "data" in smtp_server.commands)

    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    assert (await fetch("health/ready")).code == 200
    mailing.cancel()
    await asyncio.wait([mailing])
    await asyncio.wait_for(service.app_manager.stop(), 10)

    assert not smtp_server.ended.is_set()


async def test_a_server_that_takes_too_long_is_given_up(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monthly, "MAX_SEND", 0.3)
    smtp_server.replies = {"DATA": "hang"}

    assert "takes more than" in await mail(await start())


async def test_a_hub_that_does_not_respond_delays_the_report(
    start: Start, smtp_server: MailServer, hub: StandInHub
) -> None:
    service = await start()
    hub.fault = "error"
    assert "not mailed: the hub does not list its groups (" in await mail(service)
    assert smtp_server.commands == []

    hub.fault = None
    assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1


async def test_an_unexpected_error_is_logged_and_the_report_tried_again(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await start()
    with monkeypatch.context() as broken, Listener(service) as lines:
        broken.setattr(monthly, "render_report", lambda *_: 1 // 0)
        for _ in range(2):
            assert await mail(service) == (
                "The report of 2026-01 was not mailed: ZeroDivisionError. See the service's log."
            )
    assert len(lines) == 1

    assert await mail(service) == ""
    assert len(smtp_server.deliveries) == 1


async def test_while_figures_are_queued_it_is_no_failure(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await start()

    async def compute(*_: Any) -> Any:
        raise TooManyFigures

    with monkeypatch.context() as busy:
        busy.setattr(app_of(service).recorder.archive, "compute", compute)
        await app_of(service).mail_report()
        assert app_of(service).problem == ""

    await app_of(service).mail_report()
    assert len(smtp_server.deliveries) == 1


async def test_what_the_database_did_not_record_is_recorded_later(
    start: Start, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await start()
    store = app_of(service).recorder.store

    async def fail(*_: Any, **__: Any) -> None:
        raise HistoryUnavailable("database is locked")

    with monkeypatch.context() as locked:
        locked.setattr(store, "settle_report", fail)
        assert await mail(service) == ""
    assert await mail(service) == ""

    assert await mail(await start()) == ""
    assert len(smtp_server.deliveries) == 1
    assert (await store.claim_report("2026-01", FEBRUARY)).is_mailed
