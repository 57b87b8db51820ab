from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

import pytest

from tests.support.activity import small_hub
from tests.support.activity.small_hub import at, session
from tornado_service.activity.domain.calendar import utc_datetime
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.domain.records import Account
from tornado_service.activity.domain.terms import Term
from tornado_service.activity.figures.comparison import comparison
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.reports.report import Report, report
from tornado_service.activity.figures.users import PeopleCounts
from tornado_service.activity.history.history import History

HOUR = 3600
ZONE = "Europe/Berlin"
FEBRUARY = date(2026, 2, 1), date(2026, 2, 28)
MARCH = date(2026, 3, 1), date(2026, 3, 31)
START = at("2025-01-10 00:00", ZONE)
NOW = at("2026-04-02 00:00", ZONE)
GROUPS = {"class-a": {1}, "class-b": {1, 2}, "empty": set()}


def history(start: int = START, end: int = NOW) -> History:
    """Ada worked in three months, bob came in March 2026; a month of data is missing."""
    hours = [
        (1, "2025-03-04 10:00", "2025-03-04 14:00"),
        (1, "2026-02-02 10:00", "2026-02-02 12:00"),
        (1, "2026-03-02 10:00", "2026-03-02 12:00"),
        (2, "2026-03-02 11:00", "2026-03-02 12:00"),
        (2, "2026-03-31 22:00", "2026-04-01 03:00"),
    ]
    gap = at("2025-08-01 00:00", ZONE), at("2025-09-01 00:00", ZONE)
    coverage = [(start, gap[0]), (gap[1], end)] if start < gap[0] else [(start, end)]
    return small_hub.history(
        ZONE,
        coverage,
        [
            session(user, at(begin, ZONE), at(stop, ZONE))
            for user, begin, stop in hours
            if start <= at(begin, ZONE) < end
        ],
        people=[Account(1, "ada", start), Account(2, "bob", at("2026-03-01 08:00", ZONE))],
    )


def march(
    data: History | None = None, members_of: Mapping[str, Collection[int]] | None = None
) -> Report:
    return report(data or history(), *MARCH, "days", (), members_of)


def test_the_figures_of_the_whole_period() -> None:
    figures = march()

    whole = figures.whole
    assert (whole.active_users, whole.server_seconds, whole.sessions) == (2, 5 * HOUR, 3)
    assert (whole.share, whole.is_over, whole.at_least, whole.peak_servers) == (1, True, False, 2)
    assert figures.lengths is not None
    assert (figures.lengths.finished, figures.lengths.median) == (3, 2 * HOUR)
    assert figures.people == PeopleCounts(accounts=2, new=1, returning=1, never_returned=0)
    assert (figures.first, figures.last, figures.zone) == (*MARCH, ZONE)
    assert figures.as_of == utc_datetime(NOW)


def test_it_is_compared_with_the_month_and_the_year_before() -> None:
    compared = march().comparison

    assert compared.previous is not None
    assert compared.year_before is not None
    previous, earlier = compared.previous, compared.year_before
    assert (previous.earlier_first, previous.earlier_last) == FEBRUARY
    assert (previous.active_users.earlier, previous.active_users.change) == (1, 1.0)
    assert (previous.server_seconds.earlier, previous.server_seconds.change) == (2 * HOUR, 1.5)
    assert (earlier.earlier_first, earlier.earlier_last) == (date(2025, 3, 2), date(2025, 4, 1))
    assert (earlier.server_seconds.earlier, earlier.server_seconds.change) == (4 * HOUR, 0.25)


def test_twelve_months_and_those_of_the_year_before() -> None:
    figures = march()

    firsts = [month.first for month in (*figures.months_before, *figures.months)]
    assert len(figures.months) == len(figures.months_before) == 12
    assert firsts == sorted(firsts)
    assert (firsts[0], firsts[12], firsts[-1]) == (
        date(2024, 4, 1), date(2025, 4, 1), date(2026, 3, 1)
    )  # fmt: skip
    hours = {
        month.first: month.server_seconds / HOUR
        for month in (*figures.months_before, *figures.months)
        if month.server_seconds
    }
    assert hours == {date(2025, 3, 1): 4, date(2026, 2, 1): 2, date(2026, 3, 1): 5}
    unknown = [month.first for month in figures.months if month.server_seconds is None]
    assert unknown == [date(2025, 8, 1)]
    assert [month.share for month in figures.months_before[:9]] == [0] * 9
    [january] = [month for month in figures.months_before if month.first == date(2025, 1, 1)]
    assert (january.at_least, january.server_seconds) == (True, 0)


def test_a_period_that_is_no_month_has_the_months_up_to_its_last_day() -> None:
    figures = report(history(), date(2026, 2, 10), date(2026, 3, 10), "weeks")

    assert (figures.months[0].first, figures.months[-1].last) == (date(2025, 4, 1), MARCH[1])
    assert [(week.first, week.last) for week in figures.periods] == [
        (date(2026, 2, 9), date(2026, 2, 15)), (date(2026, 2, 16), date(2026, 2, 22)),
        (date(2026, 2, 23), date(2026, 3, 1)), (date(2026, 3, 2), date(2026, 3, 8)),
        (date(2026, 3, 9), date(2026, 3, 15)),
    ]  # fmt: skip
    assert figures.unit == "weeks"


def test_groups_with_the_most_hours_come_first() -> None:
    rows = march(members_of=GROUPS).groups

    assert [(row.name, row.members, row.active_users) for row in rows] == [
        ("class-b", 2, 2), ("class-a", 1, 1), ("empty", 0, 0),
    ]  # fmt: skip
    assert [row.server_seconds for row in rows] == [5 * HOUR, 2 * HOUR, 0]
    assert [row.sessions for row in rows] == [3, 1, 0]
    assert march().groups == ()


def test_cost_is_known_with_prices_only() -> None:
    priced = march(replace(history(), prices=Prices("EUR", 0.5)), GROUPS)
    free = march(members_of=GROUPS)

    assert (priced.currency, priced.whole.cost) == ("EUR", 2.5)
    assert [row.cost for row in priced.groups] == [2.5, 1.0, 0]
    assert [month.cost for month in priced.months[-2:]] == [1.0, 2.5]
    assert priced.comparison.previous is not None
    assert priced.comparison.previous.cost.change == 1.5
    assert (free.currency, free.whole.cost) == (None, None)
    assert {row.cost for row in free.groups} == {None}


def test_a_term_is_compared_with_the_term_before() -> None:
    winter = Term("Winter term 2025", date(2025, 10, 1), date(2026, 2, 28))
    summer = Term("Summer term 2026", date(2026, 3, 1), date(2026, 3, 31))
    spring = Term("Spring 2026", date(2026, 3, 1), date(2026, 3, 30))

    for terms in ([winter, summer], [winter, spring]):
        figures = report(history(), terms[1].first, terms[1].last, "weeks", terms)
        assert figures.comparison == comparison(history(), terms[1].first, terms[1].last, terms)
    assert figures.comparison.previous is not None
    assert figures.comparison.previous.earlier_first == winter.first


def test_without_a_history_nothing_is_known() -> None:
    figures = march(small_hub.history(ZONE, []), GROUPS)

    assert figures.as_of is None
    assert figures.whole.active_users is figures.lengths is figures.people.accounts is None
    assert {month.active_users for month in (*figures.months, *figures.months_before)} == {None}
    assert {group.server_seconds for group in figures.groups} == {None}
    assert len(figures.groups) == 3


def test_a_history_that_begins_in_the_period_gives_lower_bounds() -> None:
    figures = march(history(start=at("2026-03-02 11:00", ZONE)))

    assert (figures.whole.at_least, figures.whole.server_seconds) == (True, 3 * HOUR)
    assert figures.people.new is not None
    assert figures.people.returning is None
    assert figures.comparison.previous is not None
    assert not figures.comparison.previous.is_comparable


@pytest.mark.parametrize("now", ["2026-03-31 23:00", "2026-03-17 12:00"])
def test_a_period_that_is_not_over(now: str) -> None:
    figures = march(history(end=at(now, ZONE)))

    assert not figures.whole.is_over
    assert not figures.whole.at_least
    assert figures.comparison.previous is not None
    last_over = at(now, ZONE) - at(f"{now[:10]} 00:00", ZONE)
    assert last_over > 0
    assert figures.comparison.previous.last < date.fromisoformat(now[:10])


def test_nothing_is_known_of_a_period_to_come() -> None:
    figures = report(history(), date(2027, 5, 1), date(2027, 5, 31), "days", (), GROUPS)

    assert (figures.whole.share, figures.whole.server_seconds) == (0, None)
    assert figures.comparison.previous is None
    assert {month.server_seconds for month in figures.months} == {None}
    assert [month.server_seconds for month in figures.months_before[-2:]] == [3 * HOUR, None]


def test_its_parts_are_the_single_figures() -> None:
    data, figures = history(), march()

    assert figures.whole == period(data, *MARCH)
    assert figures.lengths == lengths(data, *MARCH)
    assert figures.periods == tuple(period(data, part.first, part.last) for part in figures.periods)
    assert figures.weight == 31 + 24
