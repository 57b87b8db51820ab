"""Figures of a scripted hub equal those of the script's own ledger.

From the hub's answers through collector, store, roll-ups and figures: a year of samples
three hours apart, a week by five minutes, a day and a half over HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from calendar import monthrange
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from tests.support.activity.ledger import ONE_DAY, Ledger, each_day
from tests.support.activity.looks import looks
from tests.support.activity.script import HOUR, Script, write_year
from tests.support.activity.simulator import TOKEN, SimulatedHub, hub_calls
from tornado_service.activity.collect.collector import SAMPLE_DELAY, Collector
from tornado_service.activity.domain.calendar import utc_datetime
from tornado_service.activity.domain.records import Sample
from tornado_service.activity.figures.availability import RETURN_WITHIN
from tornado_service.activity.figures.cohorts import CohortUnit, cohorts
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.users import (
    groups,
    never_returned,
    new_users,
    people,
    people_counts,
    returning,
)
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.history.history import History
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store import rollups
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store
from tornado_service.activity.store.writer import add_sample
from tornado_service.hub.calls import HubCalls
from tornado_service.testing import StartService

LOG = logging.getLogger("test")
#: So many samples are taken between two looks at the figures.
LOOKS = 97


@dataclass(frozen=True)
class Played:
    """What came of a script, twice. ``first`` and ``last``: days with figures."""

    history: History
    ledger: Ledger
    first: date
    last: date

    def ids(self, who: set[int]) -> set[int]:
        """People of the ledger, as the store numbers them."""
        accounts = {
            (account.name, account.first_seen): account.id
            for account in self.history.people.values()
        }
        humans = (self.ledger.people[person] for person in who)
        return {accounts[human.name, human.first_seen] for human in humans}


async def play(
    script: Script, file: Path, interval: int, zone: str, hub: SimulatedHub, calls: HubCalls
) -> Played:
    """Let a collector watch the script, and read its history."""
    delay = int(interval * SAMPLE_DELAY)
    database = open_database(f"sqlite:///{file}")
    with database.writing() as connection:

        async def keep(sample: Sample, interval: int) -> None:
            add_sample(connection, sample, interval)

        collector = Collector(calls, interval, LOG, keep)
        archive = Archive(Store("", LOG), ZoneInfo(zone))
        for number, at in enumerate(range(script.start + delay, script.end, interval)):
            if script.is_service_down(at):
                collector = Collector(calls, interval, LOG, keep)
                continue
            hub.now = at
            sample = await collector.collect(at)
            assert (sample is None) == script.is_hub_down(at)
            if number % LOOKS == 0:  # the last history is made of all those before it
                bring_up_to_date(archive, connection)
        bring_up_to_date(archive, connection)
    archive.close()
    database.close()
    ledger = Ledger(script, looks(script, interval, delay), interval, zone)
    first, last = (
        datetime.fromtimestamp(moment, ledger.zone).date()
        for moment in (script.start, ledger.times[-1])
    )
    return Played(archive.history, ledger, first, last)


def bring_up_to_date(archive: Archive, connection: Connection) -> None:
    """As after each sample."""
    while rollups.roll_up(connection, archive.history.zone):
        pass
    archive.history = archive._updated_history(Reader(connection))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Played:
    script = write_year(1, datetime(2025, 3, 1, tzinfo=timezone.utc))
    hub = SimulatedHub(script)
    file = tmp_path_factory.mktemp("year") / "activity.sqlite"
    return asyncio.run(play(script, file, 3 * HOUR, "Europe/Berlin", hub, hub_calls(hub)))


def months(played: Played) -> Iterator[tuple[date, date]]:
    first = played.first.replace(day=1)
    while first <= played.last:
        last = first.replace(day=monthrange(first.year, first.month)[1])
        yield first, last
        first = last + ONE_DAY


def weeks(played: Played) -> Iterator[tuple[date, date]]:
    monday = played.first - timedelta(played.first.weekday())
    while monday <= played.last:
        yield monday, monday + timedelta(6)
        monday += timedelta(7)


def days(played: Played) -> Iterator[tuple[date, date]]:
    return ((day, day) for day in each_day(played.first, played.last))


def see_that_periods_equal(played: Played, spans: Iterator[tuple[date, date]]) -> None:
    for first, last in spans:
        figures = period(played.history, first, last)
        expected = played.ledger.period(first, last)
        if expected is None:
            assert figures.share == 0
            assert figures.active_users is None
            continue
        for name, value in expected.items():
            assert getattr(figures, name) == pytest.approx(value), (first, last, name)


def test_the_year_has_what_makes_it_hard(year: Played) -> None:
    """Else the others show little."""
    people = year.ledger.people
    assert len(year.ledger.coverage) > 6
    assert sum(len(human.uses) for human in people) > 4_000
    assert sum(human.deleted is not None for human in people) > 10
    assert len({human.being.id for human in people}) < len(people)  # renamed unseen
    assert len({human.name for human in people}) < len(people) - 5  # created again
    assert any(human.since == 0 and human.name.startswith("renamed") for human in people)
    assert sum(len(human.visits) for human in people) > 500


@pytest.mark.parametrize("spans", [days, weeks, months])
def test_use_over_time(
    year: Played, spans: Callable[[Played], Iterator[tuple[date, date]]]
) -> None:
    see_that_periods_equal(year, spans(year))


def test_the_whole_year(year: Played) -> None:
    see_that_periods_equal(year, iter([(year.first, year.last)]))


def test_sessions_and_how_long_they_last(year: Played) -> None:
    for span in [*months(year), (year.first, year.last)]:
        figures = lengths(year.history, *span)
        for name, value in year.ledger.lengths(*span).items():
            assert getattr(figures, name) == pytest.approx(value), (span, name)


def test_the_heat_map(year: Played) -> None:
    for span in [*months(year), (year.first, year.last)]:
        hours = {
            (hour.weekday, hour.hour): (hour.mean_servers, hour.peak_servers)
            for hour in heat_map(year.history, *span).hours
            if hour.mean_servers is not None
        }
        expected = year.ledger.heat_map(*span)
        assert hours.keys() == expected.keys()
        for key, (mean, peak) in expected.items():
            assert hours[key] == (pytest.approx(mean), peak), (span, key)


def test_who_came_came_back_and_did_not(year: Played) -> None:
    for first, last in months(year):
        by = min(last, year.last)
        assert new_users(year.history, first, last) == year.ids(year.ledger.new(first, last))
        assert returning(year.history, first, last) == year.ids(year.ledger.returning(first, last))
        assert never_returned(year.history, by) == year.ids(
            year.ledger.never_returned(by, RETURN_WITHIN)
        )
        assert people_counts(year.history, first, last).accounts == year.ledger.accounts(last)


@pytest.mark.parametrize(("unit", "spans"), [("weeks", weeks), ("months", months)])
def test_arrival_cohorts(
    year: Played, unit: CohortUnit, spans: Callable[[Played], Iterator[tuple[date, date]]]
) -> None:
    expected = list(spans(year))
    rows = cohorts(year.history, year.first, year.last, unit)
    known = 0

    assert [(row.first, row.last) for row in rows] == expected
    for row, (first, last) in zip(rows, expected, strict=True):
        assert row.arrived == len(year.ledger.new(first, last))
        for week in row.weeks:
            begin, end = first + 7 * week.week * ONE_DAY, last + (7 * week.week + 6) * ONE_DAY
            is_over = year.ledger.bounds(end)[1] <= year.ledger.times[-1]
            came_back = len(year.ledger.came_back(first, last, week.week))
            assert week.returned == (came_back if is_over else None), (first, week.week)
            covered = year.ledger.covered(year.ledger.bounds(begin)[0], year.ledger.bounds(end)[1])
            assert (week.share == 1) is (covered == seconds_of(year.ledger, begin, end))
            known += week.returned or 0
    assert known > 20


def seconds_of(ledger: Ledger, first: date, last: date) -> int:
    return ledger.bounds(last)[1] - ledger.bounds(first)[0]


def test_each_person(year: Played) -> None:
    span = (year.first, year.last)
    accounts = (account for _, account in sorted(year.history.people.items()))
    rows = {
        (account.name, account.first_seen): row
        for account, row in zip(accounts, people(year.history, *span), strict=True)
    }
    assert len(rows) == len(year.ledger.people)
    for who, human in enumerate(year.ledger.people):
        row = rows[human.name, human.first_seen]
        assert row.deleted == utc_datetime(human.deleted)
        assert row.server_seconds == year.ledger.seconds(*span, {who})
        assert row.sessions == len(year.ledger.sessions(*span, {who}))
        active = [day for day in each_day(*span) if who in year.ledger.active.get(day, ())]
        assert row.active_days == len(active)


def test_each_group(year: Played) -> None:
    names = ["class-a", "class-b", "class-c", "class-d"]
    members = {name: year.ledger.group(name) for name in names}
    ids = {name: year.ids(who) for name, who in members.items()}
    for first, last in months(year):
        for use in groups(year.history, first, last, ids):
            who = members[use.name]
            assert use.members == len(who)
            assert use.active_users == len(year.ledger.active_users(first, last) & who)
            assert use.server_seconds == year.ledger.seconds(first, last, who)
            assert use.sessions == len(year.ledger.sessions(first, last, who))


def test_what_a_group_is_shown_is_made_of_its_members_alone(year: Played) -> None:
    who = year.ledger.group("class-a")
    seen = year.history.restricted(year.ids(who))
    for first, last in months(year):
        uses = {
            day: [use for use in year.ledger.by_day.get(day, []) if use.who in who]
            for day in each_day(first, last)
        }
        figures = period(seen, first, last)
        assert figures.active_users == len(year.ledger.active_users(first, last) & who)
        assert figures.server_seconds == year.ledger.seconds(first, last, who)
        assert figures.sessions == len(year.ledger.sessions(first, last, who))
        peaks = [year.ledger.peak(uses[day], *year.ledger.bounds(day)) for day in uses]
        assert figures.peak_servers == max(peaks)


async def test_a_week_by_five_minutes(tmp_path: Path) -> None:
    script = write_year(2, datetime(2025, 10, 20, tzinfo=timezone.utc), days=7, outage=6 * HOUR)
    hub = SimulatedHub(script)

    played = await play(script, tmp_path / "w.sqlite", 300, "Europe/Berlin", hub, hub_calls(hub))

    see_that_periods_equal(played, days(played))
    see_that_periods_equal(played, weeks(played))


@pytest.fixture
async def served() -> AsyncIterator[SimulatedHub]:
    hub = SimulatedHub(
        write_year(3, datetime(2025, 11, 4, tzinfo=timezone.utc), days=2, users=100, outage=HOUR)
    )
    hub.max_limit = 40
    await hub.start()
    yield hub
    await hub.stop()


async def test_some_days_over_http(
    served: SimulatedHub, start_service: StartService, tmp_path: Path
) -> None:
    service = await start_service(
        ServiceAuth={"api_url": served.api_url, "api_token": TOKEN},
        HubClient={"breaker_failures": 1000},
    )

    played = await play(served.script, tmp_path / "d.sqlite", 300, "UTC", served, service.hub)

    see_that_periods_equal(played, days(played))
