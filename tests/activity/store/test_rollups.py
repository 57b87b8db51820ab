from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, func, select

from tornado_service.activity.domain.calendar import day_bounds, day_total, local_date, user_days
from tornado_service.activity.domain.concurrency import Concurrency
from tornado_service.activity.domain.records import (
    DayTotal,
    Sample,
    ServerSnapshot,
    UserDay,
    UserSnapshot,
)
from tornado_service.activity.schema import tables
from tornado_service.activity.store import rollups
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.user_data import forget
from tornado_service.activity.store.writer import add_sample
from tornado_service.database.database import Database

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")

START = 1_772_409_600  # Monday, 2 March 2026, 00:00 UTC
MONDAY = date(2026, 3, 2)
HOUR = 3600
DAY = 24 * HOUR

#: Seconds between two samples.
EVERY = 4 * HOUR


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "DAYS_PER_TRANSACTION", 3)


def add(database: Database, taken: int, **started: int) -> None:
    users = (UserSnapshot(name, servers=(ServerSnapshot("", at),)) for name, at in started.items())
    with database.writing() as connection:
        assert add_sample(connection, Sample(taken, False, tuple(users)), EVERY)


def steps(database: Database, step: Callable[[Connection], bool]) -> int:
    """Run one to its end; returns the number of steps."""
    count = 1
    while True:
        with database.writing() as connection:
            if not step(connection):
                return count
        count += 1


def roll_up(database: Database, zone: ZoneInfo = UTC) -> int:
    return steps(database, partial(rollups.roll_up, zone=zone))


def drop_old(database: Database, days: int) -> int:
    return steps(database, partial(rollups.drop_old, retention_days=days))


def read(database: Database) -> tuple[list[UserDay], list[DayTotal]]:
    ever = date(2020, 1, 1), date(2030, 1, 1)
    with database.reading() as connection:
        reader = Reader(connection)
        return list(reader.user_days(*ever)), reader.day_totals(*ever)


def summary(database: Database) -> dict[int, tuple[int, int, int]]:
    """For each day of March: seconds, sessions, peak."""
    _, totals = read(database)
    return {total.day.day: (total.seconds, total.sessions, total.peak) for total in totals}


def watch(database: Database, days: int, start: int = START) -> None:
    """Ada's server runs from 20:00 to 04:00 every night, UTC; Bob's all the time."""
    for taken in range(start, start + days * DAY + 1, EVERY):
        since_eight = (taken - START - 20 * HOUR) % DAY
        running = {"bob": START - HOUR}
        if since_eight <= 8 * HOUR and taken >= START + 20 * HOUR:
            running["ada"] = taken - since_eight
        add(database, taken, **running)


def test_days_that_are_over_are_rolled_up_worked_by_hand(database: Database) -> None:
    watch(database, 2)
    roll_up(database)

    days, totals = read(database)
    assert days == [
        UserDay(MONDAY - timedelta(1), 1, HOUR, 1),
        UserDay(MONDAY, 1, DAY, 0),
        UserDay(MONDAY, 2, 4 * HOUR, 1),
        UserDay(MONDAY + timedelta(1), 1, DAY, 0),
        UserDay(MONDAY + timedelta(1), 2, 8 * HOUR, 1),
    ]
    assert totals[1].slot_peaks == (1,) * 80 + (2,) * 16
    assert totals[2].slot_seconds == (1800,) * 16 + (900,) * 64 + (1800,) * 16
    assert [total.covered for total in totals] == [0, DAY, DAY]
    assert [total.peak for total in totals] == [1, 2, 2]


def test_the_day_at_hand_is_not(database: Database) -> None:
    watch(database, 2)
    add(database, START + 2 * DAY + EVERY, bob=START - HOUR)
    roll_up(database)

    assert sorted(summary(database)) == [1, 2, 3]


def test_it_goes_on_where_it_was(database: Database) -> None:
    watch(database, 2)
    assert roll_up(database) == 1
    before = summary(database)
    add(database, START + 3 * DAY, bob=START - HOUR)
    roll_up(database)

    assert summary(database) == before | {4: (DAY, 0, 1)}


def test_many_days_are_rolled_up_a_few_at_a_time(database: Database) -> None:
    add(database, START, bob=START)
    add(database, START + 10 * DAY, bob=START)

    assert roll_up(database) == 4
    assert summary(database) == {day: (DAY, int(day == 2), 1) for day in range(2, 12)}


def test_days_that_a_late_sample_changes_are_rolled_up_again(database: Database) -> None:
    add(database, START, bob=START)
    add(database, START + 4 * DAY, bob=START)
    roll_up(database)
    add(database, START + 2 * DAY, bob=START, eve=START + DAY + HOUR)
    roll_up(database)

    assert summary(database) == {
        2: (DAY, 1, 1),
        3: (2 * DAY - HOUR, 1, 2),
        4: (DAY, 0, 1),  # Eve's ended as it began
        5: (DAY, 0, 1),
    }


@pytest.mark.parametrize("zone", [UTC, BERLIN, KOLKATA], ids=str)
def test_roll_ups_are_what_the_sessions_give(database: Database, zone: ZoneInfo) -> None:
    """Over the days when Berlin's clock is put forward."""
    begin = START + 24 * DAY
    watch(database, 7, start=begin)
    roll_up(database, zone)

    days, totals = read(database)
    with database.reading() as connection:
        reader = Reader(connection)
        sessions = list(reader.sessions(0, 2**42))
        coverage = reader.coverage(0, 2**42)
    servers = Concurrency(
        [session.started for session in sessions], [session.end for session in sessions]
    )
    first, last = totals[0].day, totals[-1].day
    assert last == local_date(begin + 7 * DAY, zone) - timedelta(1)
    assert days == list(user_days(sessions, [], first, last, zone))
    assert totals == [day_total(servers, coverage, total.day, zone) for total in totals]
    [(seconds, _)] = servers.between((0, day_bounds(last, zone).end))
    assert sum(total.seconds for total in totals) == seconds


def test_another_zone_makes_other_days(database: Database) -> None:
    watch(database, 5)
    roll_up(database)
    before = summary(database)
    roll_up(database, KOLKATA)
    days, totals = read(database)

    assert before.keys() == {1, 2, 3, 4, 5, 6}
    # where the day begins at 18:30 UTC: 23:00 of Sunday is Monday, 20:00 of Monday is Tuesday
    assert {total.day.day for total in totals if total.seconds} == {2, 3, 4, 5, 6}
    assert days[:3] == [
        UserDay(MONDAY, 1, 19 * HOUR + 1800, 1),
        UserDay(MONDAY + timedelta(1), 1, DAY, 0),
        UserDay(MONDAY + timedelta(1), 2, 8 * HOUR, 1),
    ]


def test_old_sessions_and_visits_are_dropped_and_their_days_stay(database: Database) -> None:
    watch(database, 10)
    roll_up(database)
    before = read(database)
    assert drop_old(database, 4) > 1

    with database.reading() as connection:
        reader = Reader(connection)
        left = sorted((session.user, session.started) for session in reader.sessions(0, 2**42))
        assert reader.meta().sessions_from == START + 6 * DAY
        assert reader.first_observed() == START
    # Bob's still runs; Ada's of the last four nights, and one that ended after the limit
    nights = [(2, START + day * DAY + 20 * HOUR) for day in range(5, 10)]
    assert left == [(1, START - HOUR), *nights]
    assert read(database) == before


def test_what_is_not_rolled_up_is_not_dropped(database: Database) -> None:
    watch(database, 10)
    with database.reading() as connection:
        before = connection.scalar(select(func.count()).select_from(tables.sessions))
    drop_old(database, 1)

    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.sessions)) == before


def test_days_whose_sessions_are_dropped_are_never_rolled_up_again(database: Database) -> None:
    watch(database, 10)
    roll_up(database)
    drop_old(database, 4)
    before = summary(database)
    # a server is detected that ran all the time
    add(database, START + 10 * DAY + EVERY, bob=START - HOUR, eve=START - 30 * DAY)
    roll_up(database)

    after = summary(database)
    assert {day: after[day] for day in range(1, 8)} == {day: before[day] for day in range(1, 8)}
    assert {after[day][0] - before[day][0] for day in range(8, 12)} == {DAY}


def test_in_another_zone_old_days_stay_as_they_were(database: Database) -> None:
    watch(database, 10)
    roll_up(database)
    drop_old(database, 4)
    _, before = read(database)
    roll_up(database, BERLIN)

    # stored data begins on 8 March, 00:00 UTC, which is 01:00 there: the 9th is the first whole
    _, after = read(database)
    assert [session.day.day for session in after] == [*range(1, 12)]
    assert after[:8] == before[:8]
    assert after[8].slot_seconds != before[8].slot_seconds
    assert after[8].seconds == before[8].seconds


def test_an_empty_history_needs_nothing(database: Database) -> None:
    assert roll_up(database) == 1
    assert drop_old(database, 1) == 1


def test_a_user_who_was_forgotten_stays_in_the_sums(database: Database) -> None:
    watch(database, 3)
    roll_up(database)
    _, before = read(database)
    with database.writing() as connection:
        assert forget(connection, "ada")

    days, totals = read(database)
    assert totals == before
    assert {period.user for period in days} == {1}
