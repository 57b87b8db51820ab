from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.archives import rows_by_day
from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.domain.calendar import date_range
from tornado_service.activity.domain.records import DayTotal, Interval, UserDay, Visit
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.reports.month_report import month_report
from tornado_service.activity.history.history import History
from tornado_service.activity.history.usage import DayUsage, bitmap, members

USERS = st.sets(st.integers(1, 5))


def roll_ups(data: History, first: date, last: date) -> tuple[list[UserDay], list[DayTotal]]:
    """The roll-ups that a store would have written for these days."""
    rows = [
        UserDay(day, *row)
        for day in date_range(first, last)
        if day in data.days
        for row in zip(*vars(data.days[day].rows).values(), strict=True)
    ]
    return rows, data.totals(first, last)


def bring_up_to_date(data: History, hub: SmallHub, closed: date) -> History:
    """As from a store: days up to the closed one are rolled up, later ones have visits."""
    complete = hub.history()
    rows, totals = roll_ups(complete, min(complete.hub_totals), closed)
    return data.updated(
        now=complete.now,
        people=hub.people,
        coverage=complete.coverage,
        observed_from=complete.observed_from,
        user_days=rows,
        day_totals=totals,
        sessions=hub.sessions,
        visits=[
            visit for visit in hub.visits if complete.span(closed, closed).end <= visit.hour * 3600
        ],
    )


@given(st.sets(st.integers(0, 300)))
def test_users_are_the_bits_of_a_number(users: set[int]) -> None:
    assert members(bitmap(users)) == sorted(users)
    assert bitmap(users).bit_count() == len(users)


@given(small_hubs(), USERS)
def test_the_history_of_some_is_that_of_a_hub_with_only_them(
    hub: SmallHub, users: set[int]
) -> None:
    part, alone = hub.history().restricted(users), hub.history(users)

    assert part.people == alone.people
    assert rows_by_day(part) == rows_by_day(alone)
    totals = [
        replace(total, slot_seconds=(*total.slot_seconds,), slot_peaks=(*total.slot_peaks,))
        for total in part.totals(hub.first, hub.last)
    ]
    assert totals == alone.totals(hub.first, hub.last)
    assert month_report(part, hub.last) == month_report(alone, hub.last)


@given(small_hubs(), st.integers(0, 9))
def test_roll_ups_and_later_sessions_are_as_good_as_all_sessions(
    hub: SmallHub, closed_days: int
) -> None:
    complete = hub.history()
    closed = hub.first + timedelta(days=closed_days)

    data = bring_up_to_date(History(ZoneInfo(hub.zone)), hub, closed)

    assert rows_by_day(data) == rows_by_day(complete)
    assert data.hub_totals == complete.hub_totals


@given(small_hubs(), st.integers(1, 9))
def test_an_updated_history_equals_one_that_is_built_again(hub: SmallHub, days: int) -> None:
    complete = hub.history()
    day = hub.first + timedelta(days=days)
    before = complete.span(day, day).start + 5000
    early = [session for session in hub.sessions if session.started < before]
    data = history(
        hub.zone,
        [(start, min(end, before)) for start, end in hub.coverage if start < before],
        [session._replace(ended=None, last_seen=min(session.end, before)) for session in early],
        people=hub.people,
        visits=[visit for visit in hub.visits if visit.hour * 3600 < before],
    )

    data = bring_up_to_date(data, hub, closed=day - timedelta(days=1))

    assert rows_by_day(data) == rows_by_day(complete)
    assert data.hub_totals == complete.hub_totals
    assert sorted(data.sessions) == sorted(complete.sessions)
    assert month_report(data, hub.last) == month_report(complete, hub.last)


def test_some_users_have_no_totals_of_days_whose_sessions_are_removed() -> None:
    start = at("2026-03-02 00:00")
    day = date(2026, 3, 2)
    row = UserDay(day, 1, 3600, 1)
    total = DayTotal(day, 86400, 3600, 1, 1, (900, 900, 900, 900, *[0] * 92), (1,) * 4 + (0,) * 92)
    data = History(ZoneInfo("UTC")).updated(
        now=start + 86400,
        people=[],
        coverage=[Interval(start, start + 86400)],
        observed_from=start,
        sessions_from=start + 86400,
        user_days=[row],
        day_totals=[total],
    )

    assert data.totals(day, day) == [total]
    for users in ({1}, {2}):  # active and inactive users: unknown must not be zero
        assert data.restricted(users).totals(day, day) == []
        figures = period(data.restricted(users), day, day)
        assert (figures.peak_servers, figures.mean_servers) == (None, None)
        assert figures.server_seconds == (3600 if users == {1} else 0)
    assert data.restricted({1}).days[day].rows == DayUsage.pack([row]).rows


def test_a_period_with_a_day_whose_sessions_are_removed_has_no_peak_of_some_users() -> None:
    start = at("2026-03-02 00:00")
    days = [date(2026, 3, 2), date(2026, 3, 3)]
    nothing = ((0,) * 96, (0,) * 96)
    data = History(ZoneInfo("UTC")).updated(
        now=start + 2 * 86400,
        people=[],
        coverage=[Interval(start, start + 2 * 86400)],
        observed_from=start,
        sessions_from=start + 86400,
        day_totals=[DayTotal(day, 86400, 0, 0, 0, *nothing) for day in days],
    )

    assert period(data, *days).peak_servers == 0
    assert period(data.restricted({1}), *days).peak_servers is None
    assert period(data.restricted({1}), days[1], days[1]).peak_servers == 0


def test_usage_that_turns_out_to_be_wrong_is_removed() -> None:
    start, now = at("2026-03-02 00:00"), at("2026-03-03 12:00")
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    visits = [Visit(1, start // 3600), Visit(1, now // 3600 - 1)]
    data = history("UTC", [(start, now)], visits=visits)
    assert [*data.days] == [monday, tuesday]

    after = data.updated(
        now=now,
        people=[],
        coverage=data.coverage,
        observed_from=start,
        day_totals=data.totals(monday, monday),
        visits=[],
    )

    assert [*after.days] == []


def test_an_empty_history_has_no_figures_and_no_error() -> None:
    report = month_report(history("UTC", []), date(2026, 3, 1))

    assert report.month.whole.active_users is None
    assert report.month.people.accounts is None
    assert report.month.lengths is None
    assert report.heat_map.quietest is None
    assert {hour.mean_servers for hour in report.heat_map.hours} == {None}


def test_a_view_is_made_of_its_users_alone() -> None:
    start, end = at("2026-03-02 00:00"), at("2026-03-03 00:00")
    data = history("UTC", [(start, end)], [session(1, start, end), session(2, start, end)])

    [total] = data.restricted({2}).totals(date(2026, 3, 2), date(2026, 3, 2))

    assert (total.peak, total.seconds, total.sessions) == (1, 86400, 1)
