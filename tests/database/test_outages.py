"""The begin and end of outages, and the calls that check for recovery."""

from __future__ import annotations

import logging

import pytest

from tornado_service.database import outage
from tornado_service.database.errors import DatabaseUnavailable
from tornado_service.database.outage import OutageTracker


@pytest.fixture
def outages() -> OutageTracker:
    return OutageTracker(
        "The database of c.Wishes.database_url", logging.getLogger("tests.outages")
    )


def fail(outages: OutageTracker, error: DatabaseUnavailable, *, is_writer: bool = True) -> None:
    with pytest.raises(DatabaseUnavailable), outages.track(is_writer=is_writer):
        raise error


def lost(*, is_hung: bool = False) -> DatabaseUnavailable:
    error = DatabaseUnavailable("connection refused")
    error.is_connection_failure, error.is_hung = True, is_hung
    return error


def test_one_call_at_a_time_checks_whether_a_database_still_hangs(outages: OutageTracker) -> None:
    fail(outages, lost(is_hung=True))

    with outages.track(is_writer=False) as begun:
        with pytest.raises(DatabaseUnavailable), outages.track(is_writer=False):
            pytest.fail("another waits for it too")
        begun()
        with outages.track(is_writer=False):
            pass
    assert not outages.problem


def test_no_request_is_refused_where_the_error_is_immediate(outages: OutageTracker) -> None:
    fail(outages, lost())

    with outages.track(is_writer=False), outages.track(is_writer=False):
        pass
    assert not outages.problem


def test_what_cannot_be_written_can_be_read(outages: OutageTracker) -> None:
    fail(outages, DatabaseUnavailable("disk is full"))

    with outages.track(is_writer=False):
        pass
    assert "disk is full" in outages.problem
    with outages.track(is_writer=True):
        pass
    assert not outages.problem


def test_an_outage_is_that_of_the_database_that_has_it(
    outages: OutageTracker, caplog: pytest.LogCaptureFixture
) -> None:
    other = OutageTracker("Another", logging.getLogger("tests.outages"))

    error = lost()
    fail(other, error)
    fail(outages, error)  # the transaction around it raises it, too
    assert (outages.problem, bool(other.problem)) == ("", True)
    assert len(caplog.records) == 1


def test_a_call_that_began_before_a_change_has_no_effect_on_the_state(
    outages: OutageTracker,
) -> None:
    with outages.track(is_writer=True):
        fail(outages, lost())
    assert outages.problem

    with pytest.raises(DatabaseUnavailable), outages.track(is_writer=True):  # noqa: PT012
        with outages.track(is_writer=True):
            pass
        assert not outages.problem
        raise lost()
    assert not outages.problem


def succeed(outages: OutageTracker) -> None:
    with outages.track(is_writer=True):
        pass


def test_a_database_that_comes_and_goes_fills_no_log(
    outages: OutageTracker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for _ in range(100):
        fail(outages, lost())
        assert outages.problem
        succeed(outages)
        assert not outages.problem
    assert len(caplog.records) == 2 * outage.MAX_LOGGED
    assert "More outages" in caplog.messages[-2]


def test_an_outage_that_lasts_is_logged_in_any_case(
    outages: OutageTracker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(100):
        fail(outages, lost())
        succeed(outages)
    fail(outages, lost())
    caplog.clear()

    monkeypatch.setattr(outage, "LOG_WINDOW", 0)  # a minute later
    for _ in range(100):
        fail(outages, lost())
    succeed(outages)

    begin, end = caplog.messages
    assert "is not available" in begin
    assert "is available again" in end


def test_an_error_of_the_apps_own_begins_none(outages: OutageTracker) -> None:
    with pytest.raises(ZeroDivisionError), outages.track(is_writer=True):
        raise ZeroDivisionError
    assert not outages.problem
