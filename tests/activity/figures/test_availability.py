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
from tornado_service.activity.figures.month_report import month_report
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.person import own_use
from tornado_service.activity.figures.users import groups, people, people_counts
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
DAY = 24 * 3600
START, NOW = at("2026-01-05 00:00", ZONE), at("2026-06-01 12:00", ZONE)
GAP = at("2026-03-01 00:00", ZONE), at("2026-04-01 00:00", ZONE)
IN_GAP = date(2026, 3, 10), date(2026, 3, 20)
FUTURE = date(2026, 6, 2), date(2026, 7, 1)
BEFORE = date(2025, 12, 1), date(2026, 1, 4)

#: What a row says of the period.
FLAGS = ("is_new", "is_returning", "never_returned")
SUMS = ("active_days", "server_seconds", "sessions")


@pytest.fixture(scope="module")
def known() -> History:
    """Ada has run a server all the time, bob came once; there is no data of March."""
    bob = at("2026-01-20 10:00", ZONE)
    return history(
        ZONE,
        [(START, GAP[0]), (GAP[1], NOW)],
        [running(1, START, NOW), session(2, bob, bob + 3600)],
        people=[Account(1, "ada", START), Account(2, "bob", bob)],
    )


@pytest.mark.parametrize("days", [IN_GAP, FUTURE, BEFORE], ids=["gap", "future", "before"])
def test_a_period_without_data_has_no_figure_of_anybody(
    known: History, days: tuple[date, date]
) -> None:
    for row in people(known, *days):
        assert {getattr(row, name) for name in (*SUMS, *FLAGS)} == {None}
    assert set(vars(people_counts(known, *days)).values()) == {None}
    assert lengths(known, *days) is None
    assert {each.active_users for each in groups(known, *days, {"class": {1, 2}})} == {None}
    own = own_use(known.restricted({1}), *days)
    assert own.whole.server_seconds is None
    assert {each.server_seconds for each in own.days} == {None}
    assert set(own.hours) == {None}


def test_a_period_to_come_has_no_running_session(known: History) -> None:
    own = own_use(known.restricted({1}), *FUTURE)

    assert own.sessions == ()
    assert own.longest is None
    tomorrow = history("UTC", [(START, at("2026-06-02 00:00"))], [running(1, START, NOW)])
    assert own_use(tomorrow.restricted({1}), date(2026, 6, 2), date(2026, 6, 2)).sessions == ()


def test_a_session_that_ran_through_a_gap_is_listed_in_it(known: History) -> None:
    [only] = own_use(known.restricted({1}), *IN_GAP).sessions

    assert (only.started, only.seconds) == (START, NOW - START)


def test_who_never_returned_is_judged_by_the_end_of_the_period(known: History) -> None:
    def rows(first: date, last: date) -> list[bool | None]:
        return [each.never_returned for each in people(known, first, last)]

    assert rows(date(2026, 2, 1), date(2026, 2, 4)) == [None, None]  # no data 30 days before
    assert rows(date(2026, 2, 1), date(2026, 2, 5)) == [False, False]  # bob has time to return
    assert rows(date(2026, 2, 1), date(2026, 2, 20)) == [False, True]
    assert rows(date(2026, 5, 1), date(2026, 12, 31)) == [False, True]  # judged today


def test_returning_is_unknown_where_nothing_is_known_from_before(known: History) -> None:
    first = date(2026, 1, 5)

    assert {each.is_returning for each in people(known, first, date(2026, 2, 1))} == {None}
    assert people(known, first + timedelta(1), date(2026, 2, 1))[0].is_returning is True


def test_no_longest_session_where_sessions_are_no_longer_kept() -> None:
    of = history("UTC", [(START, NOW)], [session(1, NOW - DAY, NOW - 7200)])
    dropped = of.updated(
        now=NOW,
        people=of.people.values(),
        coverage=of.coverage,
        observed_from=START,
        sessions_from=START + DAY,
    ).restricted({1})
    last = date(2026, 6, 1)

    assert own_use(dropped, date(2026, 1, 5), last).longest is None
    assert own_use(dropped, date(2026, 2, 1), last).longest is not None


@st.composite
def periods_of(draw: st.DrawFn, hub: SmallHub) -> tuple[date, date]:
    """Any: before, within and after its data."""
    first = hub.first + timedelta(draw(st.integers(-50, (hub.last - hub.first).days + 50)))
    return first, first + timedelta(draw(st.integers(0, 60)))


LONG = small_hubs(reach=35)


@given(LONG, st.none() | st.sets(st.integers(1, 5), min_size=1), st.data())
def test_rows_and_counts_agree_for_every_period(
    hub: SmallHub, users: set[int] | None, data: st.DataObject
) -> None:
    whole = hub.history()
    known = whole if users is None else whole.restricted(users)
    days = data.draw(periods_of(hub))
    rows, counts, figures = people(known, *days), people_counts(known, *days), period(known, *days)

    assert total(each.is_new for each in rows) == counts.new
    assert total(each.is_returning for each in rows) == counts.returning
    assert total(each.never_returned for each in rows) == counts.never_returned
    assert total(each.sessions for each in rows) == figures.sessions
    assert total(each.server_seconds for each in rows) == figures.server_seconds
    active = [each.active_days and 1 for each in rows]
    assert total(active) == figures.active_users


def total(values: Iterable[int | None]) -> int | None:
    """Of what is known; all are known, or none is."""
    found = list(values)
    known = [each for each in found if each is not None]
    assert len(known) in (0, len(found))
    return sum(known) if known else None


@given(LONG, st.data())
def test_unknown_is_never_zero(hub: SmallHub, data: st.DataObject) -> None:
    known = hub.history()
    first, last = data.draw(periods_of(hub))
    span = known.span(first, last)
    has_data = any(start < span.end and end > span.start for start, end in hub.coverage)
    rows, counts = people(known, first, last), people_counts(known, first, last)
    [group] = groups(known, first, last, {"all": range(1, 6)})
    of_month = month_report(known, first).month
    own = own_use(known.restricted({5}), first, last)

    assert {getattr(each, name) is None for each in rows for name in SUMS} == {not has_data}
    assert {each.is_new is None for each in rows} == {not has_data}
    for each in (period(known, first, last), group, own.whole):
        assert (each.server_seconds is None) == (each.sessions is None) == (not has_data)
    assert (counts.accounts is None) == (counts.new is None) == (not has_data)
    assert (lengths(known, first, last) is None) == (not has_data)
    assert (of_month.people.accounts is None) == (of_month.whole.active_users is None)
    if not has_data:
        assert (counts.returning, counts.never_returned) == (None, None)
    if span.start >= known.now:
        assert own.sessions == ()


def test_a_day_of_visits_alone_is_known_to_have_no_sessions() -> None:
    of = history("UTC", [(START, NOW)], visits=[Visit(1, NOW // 3600 - 1)])

    [row] = people(of, date(2026, 6, 1), date(2026, 6, 1))

    assert (row.active_days, row.server_seconds, row.sessions) == (1, 0, 0)
