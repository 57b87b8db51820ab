"""Idle time in roll-ups, through time zones, late samples, retention, merges and two processes."""

from __future__ import annotations

from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from tests.activity.conftest import Open
from tornado_service.activity.domain.pseudonyms import pseudonyms
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserDay, UserSnapshot
from tornado_service.activity.schema import tables
from tornado_service.activity.store import rollups
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.user_data import forget
from tornado_service.activity.store.writer import add_sample
from tornado_service.database.database import Database

UTC, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")
START = 1_772_409_600  # Monday, 2 March 2026, 00:00 UTC
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))
HOUR = 3600
DAY = 24 * HOUR

ADA, BOB = 1, 2


def sample(hour: int, names: tuple[str, ...] = ("ada", "bob")) -> Sample:
    """Ada's server is used until 18:00 of Monday, Bob's is of a version without activity."""
    active = {"ada": min(START + hour * HOUR, START + 18 * HOUR), "bob": None}
    users = (
        UserSnapshot(name, servers=(ServerSnapshot("", START, active[name]),)) for name in names
    )
    return Sample(START + hour * HOUR, True, tuple(users))


def add(database: Database, hour: int) -> bool:
    with database.writing() as connection:
        return add_sample(connection, sample(hour), HOUR)


def roll_up(database: Database, zone: ZoneInfo = UTC) -> list[UserDay]:
    with database.writing() as connection:
        while rollups.roll_up(connection, zone):
            pass
    with database.reading() as connection:
        return list(Reader(connection).user_days(date.min, date.max))


def two_days(database: Database) -> None:
    for hour in range(2 * 24 + 1):
        assert add(database, hour)


TWO_DAYS = [
    UserDay(MONDAY, ADA, DAY, 1, observed=DAY, idle=6 * HOUR - 900),
    UserDay(MONDAY, BOB, DAY, 1),
    UserDay(TUESDAY, ADA, DAY, 0, observed=DAY, idle=DAY),
    UserDay(TUESDAY, BOB, DAY, 0),
]


def test_days_worked_by_hand(database: Database) -> None:
    two_days(database)

    assert roll_up(database) == TWO_DAYS
    with database.reading() as connection:
        columns = tables.user_days.c.observed_seconds, tables.user_days.c.idle_seconds
        rows = connection.execute(select(*columns).where(tables.user_days.c.user_id == BOB))
        assert set(rows) == {(None, None)}


def test_in_another_time_zone_they_are_made_again(database: Database) -> None:
    two_days(database)
    roll_up(database)

    days = [row for row in roll_up(database, KOLKATA) if row.user == ADA]

    # where the day begins at 18:30 UTC of the day before
    assert days == [
        UserDay(MONDAY, ADA, 18 * HOUR + 1800, 1, observed=18 * HOUR + 1800, idle=900),
        UserDay(TUESDAY, ADA, DAY, 0, observed=DAY, idle=DAY),
    ]
    assert roll_up(database) == TWO_DAYS


def test_two_processes_that_collect_at_once_count_once(database: Database) -> None:
    for hour in range(2 * 24 + 1):
        assert add(database, hour)
        assert not add(database, hour)

    assert roll_up(database) == TWO_DAYS


def test_a_late_sample_adds_nothing_and_takes_nothing(database: Database) -> None:
    for hour in (*range(10), *range(20, 2 * 24 + 1)):
        add(database, hour)
    before = roll_up(database)
    assert add(database, 15)

    assert roll_up(database) == before
    assert before[0] == UserDay(MONDAY, ADA, DAY, 1, 13 * HOUR, 4 * HOUR)


def test_days_keep_it_when_their_sessions_are_gone(database: Database) -> None:
    two_days(database)
    with database.writing() as connection:
        add_sample(connection, Sample(START + 50 * DAY, True, (UserSnapshot("ada"),)), HOUR)
    roll_up(database)
    drop_old = partial(rollups.drop_old, retention_days=35)
    with database.writing() as connection:
        while drop_old(connection):
            pass

    assert roll_up(database) == TWO_DAYS
    with database.reading() as connection:
        assert list(Reader(connection).sessions(0, 2**42)) == []


def test_who_is_forgotten_is_in_none_of_it(database: Database) -> None:
    two_days(database)
    roll_up(database)
    with database.writing() as connection:
        assert forget(connection, "ada")

    assert {row.user for row in roll_up(database)} == {BOB}
    with database.reading() as connection:
        sessions = Reader(connection).sessions(0, 2**42, with_idle=True)
        assert {session.user for session in sessions} == {BOB}


async def test_a_user_who_was_stored_by_name_for_a_while_has_both_parts(
    open_store: Open, database_url: str
) -> None:
    map_name = pseudonyms(b"0123456789abcdef")
    for first, kept_as in ((0, map_name), (10, None), (20, map_name)):
        store = await open_store(database_url, map_name=kept_as)
        for hour in range(first, first + 10 if first < 20 else 49):
            assert await store.add(sample(hour, ("ada",)), HOUR)
        await store.maintain()
        await store.close()

    store = await open_store(database_url, map_name=map_name)
    await store.maintain()
    exported = await store.export("ada")

    assert exported
    [session] = exported["sessions"]
    # from 9:00 to 10:00, no account was in both samples
    assert [(begin[11:13], end[8:13]) for begin, end in session["observed"]] == [
        ("00", "02T09"), ("10", "04T00"),
    ]  # fmt: skip
    monday = exported["days"][0]
    assert monday["observed_seconds"] == 23 * HOUR
    assert monday["idle_seconds"] == 6 * HOUR - 900
