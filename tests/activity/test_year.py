"""Figures of a scripted hub equal those of the script's own ledger.

From the hub's responses through collector, store, roll-ups and figures: a year of samples
three hours apart, a week by five minutes, a day and a half over HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import astuple, replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from tests.support.activity.ledger import Ledger, each_day
from tests.support.activity.played import Played, days, months, play, weeks
from tests.support.activity.script import HOUR, write_year
from tests.support.activity.simulator import TOKEN, SimulatedHub, hub_calls
from tornado_service.activity.domain.calendar import ONE_DAY, utc_datetime
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.availability import RETURN_WITHIN
from tornado_service.activity.figures.cohorts import CohortUnit, cohorts
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.heatmap import heat_map
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.servers.idle import idle_period
from tornado_service.activity.figures.servers.usage_by import Kind, usage_by
from tornado_service.activity.figures.users import (
    groups,
    never_returned,
    new_users,
    people,
    people_counts,
    returning,
)
from tornado_service.activity.history.cache import DerivedCache
from tornado_service.testing import StartService


def assert_periods_equal(played: Played, spans: Iterator[tuple[date, date]]) -> None:
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
    """Otherwise the other tests prove little."""
    people = year.ledger.users
    assert len(year.ledger.coverage) > 6
    assert sum(len(user.sessions) for user in people) > 4_000
    assert sum(user.deleted is not None for user in people) > 10
    assert len({user.simulated.id for user in people}) < len(people)  # renamed unseen
    assert len({user.name for user in people}) < len(people) - 5  # created again
    assert any(user.since == 0 and user.name.startswith("renamed") for user in people)
    assert sum(len(user.visits) for user in people) > 500


@pytest.mark.parametrize("spans", [days, weeks, months])
def test_usage_over_time(
    year: Played, spans: Callable[[Played], Iterator[tuple[date, date]]]
) -> None:
    assert_periods_equal(year, spans(year))


def test_the_whole_year(year: Played) -> None:
    assert_periods_equal(year, iter([(year.first, year.last)]))


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


def test_new_returning_and_never_returned_users(year: Played) -> None:
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


def test_each_user(year: Played) -> None:
    span = (year.first, year.last)
    accounts = (account for _, account in sorted(year.history.people.items()))
    rows = {
        (account.name, account.first_seen): row
        for account, row in zip(accounts, people(year.history, *span), strict=True)
    }
    assert len(rows) == len(year.ledger.users)
    for who, user in enumerate(year.ledger.users):
        row = rows[user.name, user.first_seen]
        assert row.deleted == utc_datetime(user.deleted)
        assert row.server_seconds == year.ledger.seconds(*span, {who})
        assert row.sessions == len(year.ledger.sessions(*span, {who}))
        active = [day for day in each_day(*span) if who in year.ledger.active.get(day, ())]
        assert row.active_days == len(active)


def test_idle_time(year: Played) -> None:
    for span in [*days(year), *months(year)]:
        figures = idle_period(year.history, *span)
        observed, idle = year.ledger.idle(*span)
        assert (figures.observed_seconds or 0, figures.idle_seconds or 0) == (observed, idle), span
        assert (figures.idle_share is None) == (not observed)
    assert 0.1 < (idle_period(year.history, year.first, year.last).idle_share or 0) < 0.9


@pytest.mark.parametrize("kind", ["profile", "server"])
def test_usage_by_profile_and_by_server_name(year: Played, kind: Kind) -> None:
    for unit, spans in (("weeks", weeks), ("months", months)):
        figures = usage_by(year.history, year.first, year.last, unit, kind)
        for period_, span in zip(figures.periods, spans(year), strict=True):
            named = {row.name: astuple(row)[1:4] for row in period_.usage or ()}
            assert named == year.ledger.usage_by(kind, *span), span


@pytest.mark.parametrize(
    "prices",
    [Prices("EUR", 0.3), Prices("EUR", 0.3, "server", {"": 1.1}), Prices("EUR", 1, "server")],
)
def test_cost(year: Played, prices: Prices) -> None:
    history = replace(year.history, prices=prices, derived_cache=DerivedCache())
    for first, last in [*weeks(year), *months(year)]:
        if first < year.first or not year.ledger.period(first, last):
            continue
        expected = year.ledger.cost(prices, first, last)
        assert period(history, first, last).cost == pytest.approx(expected, abs=0.001), first


def test_each_group(year: Played) -> None:
    names = ["class-a", "class-b", "class-c", "class-d"]
    members = {name: year.ledger.group(name) for name in names}
    ids = {name: year.ids(who) for name, who in members.items()}
    for first, last in months(year):
        for usage in groups(year.history, first, last, ids):
            who = members[usage.name]
            assert usage.members == len(who)
            assert usage.active_users == len(year.ledger.active_users(first, last) & who)
            assert usage.server_seconds == year.ledger.seconds(first, last, who)
            assert usage.sessions == len(year.ledger.sessions(first, last, who))


def test_what_a_group_is_shown_is_made_of_its_members_alone(year: Played) -> None:
    who = year.ledger.group("class-a")
    seen = year.history.restricted(year.ids(who))
    for first, last in months(year):
        sessions = {
            day: [session for session in year.ledger.by_day.get(day, []) if session.who in who]
            for day in each_day(first, last)
        }
        figures = period(seen, first, last)
        assert figures.active_users == len(year.ledger.active_users(first, last) & who)
        assert figures.server_seconds == year.ledger.seconds(first, last, who)
        assert figures.sessions == len(year.ledger.sessions(first, last, who))
        peaks = [year.ledger.peak(sessions[day], *year.ledger.bounds(day)) for day in sessions]
        assert figures.peak_servers == max(peaks)


async def test_a_week_by_five_minutes(tmp_path: Path) -> None:
    script = write_year(2, datetime(2025, 10, 20, tzinfo=timezone.utc), days=7, outage=6 * HOUR)
    hub = SimulatedHub(script)

    played = await play(script, tmp_path / "w.sqlite", 300, "Europe/Berlin", hub, hub_calls(hub))

    assert_periods_equal(played, days(played))
    assert_periods_equal(played, weeks(played))


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

    assert_periods_equal(played, days(played))
