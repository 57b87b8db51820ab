"""Which figures of a period are known: rows, counts and tables agree, and unknown is never 0."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.domain.records import Account, Visit
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.reports.month_report import month_report
from tornado_service.activity.figures.users import groups, people, people_counts
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
DAY = 24 * 3600
START, NOW = at("2026-01-05 00:00", ZONE), at("2026-06-01 12:00", ZONE)
GAP = at("2026-03-01 00:00", ZONE), at("2026-04-01 00:00", ZONE)
IN_GAP = date(2026, 3, 10), date(2026, 3, 20)
FUTURE = date(2026, 6, 2), date(2026, 7, 1)
BEFORE = date(2025, 12, 1), date(2026, 1, 4)

#: Fields of a row about the period.
FLAGS = ("is_new", "is_returning", "never_returned")
SUMS = ("active_days", "server_seconds", "sessions")


@pytest.fixture(scope="module")
def data() -> History:
    """Ada has always run a server, bob visited once; there is no data for March."""
    bob = at("2026-01-20 10:00", ZONE)
    return history(
        ZONE,
        [(START, GAP[0]), (GAP[1], NOW)],
        [running(1, START, NOW), session(2, bob, bob + 3600)],
        people=[Account(1, "ada", START), Account(2, "bob", bob)],
    )


@pytest.mark.parametrize("days", [IN_GAP, FUTURE, BEFORE], ids=["gap", "future", "before"])
def test_a_period_without_data_has_no_figures_of_users(
    data: History, days: tuple[date, date]
) -> None:
    for row in people(data, *days):
        assert {getattr(row, name) for name in (*SUMS, *FLAGS)} == {None}
    assert set(vars(people_counts(data, *days)).values()) == {None}
    assert lengths(data, *days) is None
    assert {group.active_users for group in groups(data, *days, {"class": {1, 2}})} == {None}
    own = own_use(data.restricted({1}), *days)
    assert own.whole.server_seconds is None
    assert {period.server_seconds for period in own.days} == {None}
    assert set(own.hours) == {None}


def test_a_period_to_come_has_no_running_session(data: History) -> None:
    own = own_use(data.restricted({1}), *FUTURE)

    assert own.sessions == ()
    assert own.longest is None
    tomorrow = history("UTC", [(START, at("2026-06-02 00:00"))], [running(1, START, NOW)])
    assert own_use(tomorrow.restricted({1}), date(2026, 6, 2), date(2026, 6, 2)).sessions == ()


def test_a_session_that_ran_through_a_gap_is_listed_in_it(data: History) -> None:
    [only] = own_use(data.restricted({1}), *IN_GAP).sessions

    assert (only.started, only.seconds) == (START, NOW - START)


def test_never_returned_is_determined_at_the_end_of_the_period(data: History) -> None:
    def rows(first: date, last: date) -> list[bool | None]:
        return [row.never_returned for row in people(data, first, last)]

    assert rows(date(2026, 2, 1), date(2026, 2, 4)) == [None, None]  # no data 30 days before
    assert rows(date(2026, 2, 1), date(2026, 2, 5)) == [False, False]  # bob has time to return
    assert rows(date(2026, 2, 1), date(2026, 2, 20)) == [False, True]
    assert rows(date(2026, 5, 1), date(2026, 12, 31)) == [False, True]  # determined today


def test_returning_is_unknown_where_nothing_is_known_from_before(data: History) -> None:
    first = date(2026, 1, 5)

    assert {row.is_returning for row in people(data, first, date(2026, 2, 1))} == {None}
    assert people(data, first + timedelta(1), date(2026, 2, 1))[0].is_returning is True


def test_no_longest_session_where_sessions_are_no_longer_stored() -> None:
    data = history("UTC", [(START, NOW)], [session(1, NOW - DAY, NOW - 7200)])
    dropped = data.updated(
        now=NOW,
        people=data.people.values(),
        coverage=data.coverage,
        observed_from=START,
        sessions_from=START + DAY,
    ).restricted({1})
    last = date(2026, 6, 1)

    assert own_use(dropped, date(2026, 1, 5), last).longest is None
    assert own_use(dropped, date(2026, 2, 1), last).longest is not None


@st.composite
def periods_of(draw: st.DrawFn, hub: SmallHub) -> tuple[date, date]:
    """Any period: before, within and after the data."""
    first = hub.first + timedelta(draw(st.integers(-50, (hub.last - hub.first).days + 50)))
    return first, first + timedelta(draw(st.integers(0, 60)))


LONG = small_hubs(reach=35)


@given(LONG, st.none() | st.sets(st.integers(1, 5), min_size=1), st.data())
def test_rows_and_counts_agree_for_every_period(
    hub: SmallHub, users: set[int] | None, drawn: st.DataObject
) -> None:
    complete = hub.history()
    data = complete if users is None else complete.restricted(users)
    days = drawn.draw(periods_of(hub))
    rows, counts, figures = people(data, *days), people_counts(data, *days), period(data, *days)

    assert total(row.is_new for row in rows) == counts.new
    assert total(row.is_returning for row in rows) == counts.returning
    assert total(row.never_returned for row in rows) == counts.never_returned
    assert total(row.sessions for row in rows) == figures.sessions
    assert total(row.server_seconds for row in rows) == figures.server_seconds
    active = [row.active_days and 1 for row in rows]
    assert total(active) == figures.active_users


def total(values: Iterable[int | None]) -> int | None:
    """The sum of known values; all are known, or none is."""
    figures = list(values)
    known_figures = [figure for figure in figures if figure is not None]
    assert len(known_figures) in (0, len(figures))
    return sum(known_figures) if known_figures else None


@given(LONG, st.data())
def test_unknown_is_never_zero(hub: SmallHub, drawn: st.DataObject) -> None:
    data = hub.history()
    first, last = drawn.draw(periods_of(hub))
    span = data.span(first, last)
    has_data = any(start < span.end and end > span.start for start, end in hub.coverage)
    rows, counts = people(data, first, last), people_counts(data, first, last)
    [group] = groups(data, first, last, {"all": range(1, 6)})
    of_month = month_report(data, first).month
    own = own_use(data.restricted({5}), first, last)

    assert {getattr(row, name) is None for row in rows for name in SUMS} == {not has_data}
    assert {row.is_new is None for row in rows} == {not has_data}
    for figures in (period(data, first, last), group, own.whole):
        assert (figures.server_seconds is None) == (figures.sessions is None) == (not has_data)
    assert (counts.accounts is None) == (counts.new is None) == (not has_data)
    assert (lengths(data, first, last) is None) == (not has_data)
    assert (of_month.people.accounts is None) == (of_month.whole.active_users is None)
    if not has_data:
        assert (counts.returning, counts.never_returned) == (None, None)
    if span.start >= data.now:
        assert own.sessions == ()


def test_a_day_of_visits_alone_is_known_to_have_no_sessions() -> None:
    data = history("UTC", [(START, NOW)], visits=[Visit(1, NOW // 3600 - 1)])

    [row] = people(data, date(2026, 6, 1), date(2026, 6, 1))

    assert (row.active_days, row.server_seconds, row.sessions) == (1, 0, 0)
