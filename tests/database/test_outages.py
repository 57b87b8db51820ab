"""When outages begin and end, and who may find out."""

from __future__ import annotations

import logging

import pytest

from tornado_service.database import outage
from tornado_service.database.errors import DatabaseUnavailable
from tornado_service.database.outage import Outages


@pytest.fixture
def outages() -> Outages:
    return Outages("The database of c.Wishes.database_url", logging.getLogger("tests.outages"))


def fail(outages: Outages, error: DatabaseUnavailable, *, is_writer: bool = True) -> None:
    with pytest.raises(DatabaseUnavailable), outages.watch(is_writer=is_writer):
        raise error


def lost(*, is_hung: bool = False) -> DatabaseUnavailable:
    error = DatabaseUnavailable("connection refused")
    error.is_of_connection, error.is_hung = True, is_hung
    return error


def test_one_at_a_time_finds_out_whether_a_database_still_hangs(outages: Outages) -> None:
    fail(outages, lost(is_hung=True))

    with outages.watch(is_writer=False) as begun:
        with pytest.raises(DatabaseUnavailable), outages.watch(is_writer=False):
            pytest.fail("another waits for it too")
        begun()
        with outages.watch(is_writer=False):
            pass
    assert not outages.trouble


def test_nobody_is_refused_where_it_is_told_at_once(outages: Outages) -> None:
    fail(outages, lost())

    with outages.watch(is_writer=False), outages.watch(is_writer=False):
        pass
    assert not outages.trouble


def test_what_cannot_be_written_can_be_read(outages: Outages) -> None:
    fail(outages, DatabaseUnavailable("disk is full"))

    with outages.watch(is_writer=False):
        pass
    assert "disk is full" in outages.trouble
    with outages.watch(is_writer=True):
        pass
    assert not outages.trouble


def test_an_outage_is_that_of_the_database_that_has_it(
    outages: Outages, caplog: pytest.LogCaptureFixture
) -> None:
    other = Outages("Another", logging.getLogger("tests.outages"))

    error = lost()
    fail(other, error)
    fail(outages, error)  # it comes out of the transaction around it, too
    assert (outages.trouble, bool(other.trouble)) == ("", True)
    assert len(caplog.records) == 1


def test_who_began_before_a_change_tells_nothing_of_what_is_now(outages: Outages) -> None:
    with outages.watch(is_writer=True):
        fail(outages, lost())
    assert outages.trouble

    with pytest.raises(DatabaseUnavailable), outages.watch(is_writer=True):  # noqa: PT012
        with outages.watch(is_writer=True):
            pass
        assert not outages.trouble
        raise lost()
    assert not outages.trouble


def succeed(outages: Outages) -> None:
    with outages.watch(is_writer=True):
        pass


def test_a_database_that_comes_and_goes_fills_no_log(
    outages: Outages, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for _ in range(100):
        fail(outages, lost())
        assert outages.trouble
        succeed(outages)
        assert not outages.trouble
    assert len(caplog.records) == 2 * outage.LOGGED
    assert "More outages" in caplog.messages[-2]


def test_an_outage_that_lasts_is_logged_in_any_case(
    outages: Outages, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(100):
        fail(outages, lost())
        succeed(outages)
    fail(outages, lost())
    caplog.clear()

    monkeypatch.setattr(outage, "WITHIN", 0)  # a minute later
    for _ in range(100):
        fail(outages, lost())
    succeed(outages)

    begin, end = caplog.messages
    assert "is not available" in begin
    assert "is available again" in end


def test_an_error_of_the_apps_own_begins_none(outages: Outages) -> None:
    with pytest.raises(ZeroDivisionError), outages.watch(is_writer=True):
        raise ZeroDivisionError
    assert not outages.trouble
