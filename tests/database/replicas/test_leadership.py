"""The leadership of an app, without a database."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.streaming import until
from tornado_service.database.replicas import leadership as module
from tornado_service.database.replicas.leadership import LocalLeadership, SharedLeadership


async def test_the_only_process_leads_unless_it_may_not() -> None:
    leadership = LocalLeadership("one")
    seen: list[bool] = []
    unsubscribe = leadership.subscribe(seen.append)

    assert (leadership.is_leader, leadership.leader, leadership.term) == (True, "one", 0)
    leadership.may_lead = False
    await leadership.wait_until(False)
    await asyncio.sleep(0)
    assert (leadership.is_leader, leadership.leader, seen) == (False, "", [False])
    leadership.may_lead = True
    await leadership.wait_until()
    await asyncio.sleep(0)
    unsubscribe()
    leadership.may_lead = False
    await asyncio.sleep(0)

    assert seen == [False, True]


class Session:
    """A session whose database has responded."""

    instance = "one"

    def __init__(self) -> None:
        self.confirmed_at = time.monotonic()
        self.woken = 0
        self.candidates: list[SharedLeadership] = []

    def add_candidate(self, candidate: SharedLeadership) -> None:
        self.candidates.append(candidate)

    def wake(self) -> None:
        self.woken += 1


async def test_a_leader_whose_database_does_not_respond_stops_leading(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CONFIRMED_FOR", 0.3)
    session = Session()
    leadership = SharedLeadership(session, "tornado-service", "activity")
    seen: list[bool] = []
    leadership.subscribe(lambda value: 1 / 0)
    leadership.subscribe(seen.append)
    assert not leadership.is_candidate
    leadership.activate(asyncio.get_running_loop())
    assert session.candidates == [leadership]

    session.confirmed_at = time.monotonic()
    leadership.record(5, "one")
    await until(lambda: seen == [True, False])
    assert (leadership.is_held, leadership.is_leader, leadership.leader) == (True, False, "")

    session.confirmed_at = time.monotonic()
    leadership.refresh()
    await until(lambda: seen == [True, False, True, False])
    leadership.close()
    assert (leadership.is_candidate, leadership.is_over) == (False, False)
    leadership.record(0, "")
    assert leadership.is_over
    assert "A subscriber of a replica's state failed" in caplog.text
