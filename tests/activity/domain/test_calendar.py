"""Results worked out by hand; moments are written in the local time of a zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tornado_service.activity.domain.calendar import day_bounds, day_total, local_date, user_days
from tornado_service.activity.domain.concurrency import Concurrency
from tornado_service.activity.domain.records import DayTotal, Interval, Session, UserDay, Visit

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")

HOUR = 3600
MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)
WEDNESDAY = date(2026, 3, 4)


def at(text: str, zone: ZoneInfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def session(start: str, end: str, user: int = 1, zone: ZoneInfo = UTC) -> Session:
    ended = at(end, zone)
    return Session(user, "", at(start, zone), last_seen=ended, ended=ended)


def total(
    sessions: list[Session], day: date, zone: ZoneInfo = UTC, coverage: tuple[Interval, ...] = ()
) -> DayTotal:
    servers = Concurrency(
        [session.started for session in sessions], [session.end for session in sessions]
    )
    return day_total(servers, coverage, day, zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # its midnight was skipped
        ("Africa/Cairo", date(2026, 10, 29), 25),  # its last hour is repeated
        ("Pacific/Apia", date(2011, 12, 30), 0),  # was skipped
        ("Asia/Kathmandu", date(2026, 3, 2), 24),
    ],
)
def test_a_day_has_the_hours_that_its_clock_shows(zone: str, day: date, hours: float) -> None:
    bounds = day_bounds(day, ZoneInfo(zone))

    assert bounds.end - bounds.start == hours * HOUR
    if hours:
        assert local_date(bounds.start, ZoneInfo(zone)) == day
        assert local_date(bounds.end - 1, ZoneInfo(zone)) == day
        assert (
            local_date(bounds.start - 1, ZoneInfo(zone))
            < day
            < local_date(bounds.end, ZoneInfo(zone))
        )


def test_a_session_over_midnight_belongs_to_both_days_and_began_on_one() -> None:
    over = session("2026-03-02 23:00", "2026-03-03 02:30")

    assert list(user_days([over], [], MONDAY, WEDNESDAY, UTC)) == [
        UserDay(MONDAY, 1, seconds=HOUR, sessions=1),
        UserDay(TUESDAY, 1, seconds=int(2.5 * HOUR), sessions=0),
    ]


def test_midnight_is_that_of_the_zone() -> None:
    over = session("2026-03-02 22:30", "2026-03-02 23:30")  # UTC; midnight is at 23:00

    assert list(user_days([over], [], MONDAY, TUESDAY, BERLIN)) == [
        UserDay(MONDAY, 1, seconds=1800, sessions=1),
        UserDay(TUESDAY, 1, seconds=1800, sessions=0),
    ]


def test_a_session_that_ends_at_midnight_is_not_of_the_next_day() -> None:
    until = session("2026-03-02 23:00", "2026-03-03 00:00")

    assert list(user_days([until], [], MONDAY, TUESDAY, UTC)) == [UserDay(MONDAY, 1, HOUR, 1)]


def test_only_the_requested_days() -> None:
    long = session("2026-02-20 00:00", "2026-03-20 00:00")

    assert list(user_days([long], [], MONDAY, MONDAY, UTC)) == [UserDay(MONDAY, 1, 24 * HOUR, 0)]


def test_two_servers_at_a_time_count_twice() -> None:
    both = [session("2026-03-02 10:00", "2026-03-02 11:00")] * 2

    assert list(user_days(both, [], MONDAY, MONDAY, UTC)) == [UserDay(MONDAY, 1, 2 * HOUR, 2)]


def test_a_session_of_no_length_was_started_all_the_same() -> None:
    none = session("2026-03-02 10:00", "2026-03-02 10:00")

    assert list(user_days([none], [], MONDAY, MONDAY, UTC)) == [UserDay(MONDAY, 1, 0, 1)]


def test_a_visit_makes_a_day_active() -> None:
    visits = [Visit(2, at("2026-03-03 07:00") // HOUR), Visit(1, at("2026-03-02 23:00") // HOUR)]

    assert list(user_days([], visits, MONDAY, TUESDAY, UTC)) == [
        UserDay(MONDAY, 1, 0, 0),
        UserDay(TUESDAY, 2, 0, 0),
    ]


def test_a_session_lives_through_a_day_that_was_left_out() -> None:
    apia = ZoneInfo("Pacific/Apia")
    over = session("2011-12-29 23:00", "2011-12-31 01:00", zone=apia)

    rows = list(user_days([over], [], date(2011, 12, 29), date(2011, 12, 31), apia))

    assert [row for row in rows if row.seconds] == [
        UserDay(date(2011, 12, 29), 1, HOUR, 1),
        UserDay(date(2011, 12, 31), 1, HOUR, 0),
    ]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 3, 30), 24), (date(2026, 10, 25), 25)]
)
def test_a_server_that_runs_all_day_fills_every_slot_of_it(day: date, hours: int) -> None:
    long = session("2026-01-01 00:00", "2027-01-01 00:00")

    day_total_ = total([long], day, BERLIN)

    assert day_total_.seconds == hours * HOUR
    assert day_total_.slot_seconds == (900,) * (4 * hours)
    assert day_total_.slot_peaks == (1,) * (4 * hours)
    assert list(user_days([long], [], day, day, BERLIN)) == [UserDay(day, 1, hours * HOUR, 0)]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    day = date(2026, 10, 25)
    start = day_bounds(day, BERLIN).start + 2 * HOUR  # 02:00, the first time
    twice = Session(1, "", start, last_seen=start + 2 * HOUR, ended=start + 2 * HOUR)

    day_total_ = total([twice], day, BERLIN)

    assert day_total_.seconds == 2 * HOUR
    assert day_total_.slot_seconds == (0,) * 8 + (900,) * 8 + (0,) * 84


def test_a_day_of_three_servers_worked_by_hand() -> None:
    sessions = [
        session("2026-03-02 00:05", "2026-03-02 00:20", user=1),
        session("2026-03-02 00:10", "2026-03-02 00:40", user=2),
        session("2026-03-02 00:20", "2026-03-02 00:25", user=3),  # when the first has ended
        session("2026-03-01 22:00", "2026-03-01 23:00", user=4),  # of another day
    ]

    day_total_ = total(sessions, MONDAY)

    assert day_total_.sessions == 3
    assert day_total_.seconds == (15 + 30 + 5) * 60
    assert day_total_.peak == 2
    assert day_total_.slot_seconds == (15 * 60, 25 * 60, 10 * 60, *(0,) * 93)
    assert day_total_.slot_peaks == (2, 2, 1, *(0,) * 93)


def test_coverage_is_the_sampled_part_of_the_day() -> None:
    coverage = (
        Interval(at("2026-03-01 12:00"), at("2026-03-02 01:00")),
        Interval(at("2026-03-02 03:00"), at("2026-03-02 03:30")),
        Interval(at("2026-03-02 23:00"), at("2026-03-03 12:00")),
    )

    assert total([], MONDAY, coverage=coverage).covered == int(2.5 * HOUR)
    assert total([], TUESDAY, coverage=coverage).covered == 12 * HOUR
    assert total([], WEDNESDAY, coverage=coverage).covered == 0
