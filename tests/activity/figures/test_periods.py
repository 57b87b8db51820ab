from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import SmallHub, at, history, running, session, small_hubs
from tornado_service.activity.domain.calendar import date_range, day_bounds
from tornado_service.activity.domain.records import Visit
from tornado_service.activity.figures.periods import Period, period, periods, window, windows

HOUR = 3600


@pytest.mark.parametrize(
    ("unit", "day", "first", "last"),
    [
        ("days", "2026-01-01", "2026-01-01", "2026-01-01"),
        ("weeks", "2026-01-01", "2025-12-29", "2026-01-04"),  # a Thursday
        ("weeks", "2025-12-29", "2025-12-29", "2026-01-04"),  # a Monday
        ("weeks", "2027-01-03", "2026-12-28", "2027-01-03"),  # a Sunday
        ("months", "2026-12-31", "2026-12-01", "2026-12-31"),
        ("months", "2026-02-10", "2026-02-01", "2026-02-28"),
        ("months", "2028-02-01", "2028-02-01", "2028-02-29"),
    ],
)
def test_the_window_of_a_day(unit: str, day: str, first: str, last: str) -> None:
    days = window(unit, date.fromisoformat(day))

    assert days == (date.fromisoformat(first), date.fromisoformat(last))


@given(
    st.sampled_from(["days", "weeks", "months"]),
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.integers(0, 100),
)
def test_windows_follow_each_other_without_a_hole(unit: str, first: date, length: int) -> None:
    last = first + timedelta(days=length)

    all_windows = list(windows(unit, first, last))

    assert all_windows[0][0] <= first <= all_windows[0][1]
    assert all_windows[-1][0] <= last <= all_windows[-1][1]
    for (_, end), (begin, _) in pairwise(all_windows):
        assert begin - end == timedelta(days=1)


def test_the_first_week_of_a_year_counts_a_user_once() -> None:
    start, end = at("2025-12-29 00:00"), at("2026-01-05 00:00")
    data = history(
        "UTC",
        [(start, end)],
        [
            session(1, at("2025-12-30 10:00"), at("2025-12-30 11:00")),
            session(1, at("2026-01-02 10:00"), at("2026-01-02 11:00")),
            session(2, at("2025-12-31 23:30"), at("2026-01-01 00:30")),
        ],
    )

    [week] = periods(data, date(2026, 1, 1), date(2026, 1, 1), "weeks")
    assert (week.first, week.last) == (date(2025, 12, 29), date(2026, 1, 4))
    assert (week.active_users, week.server_seconds, week.sessions) == (2, 3 * HOUR, 3)
    assert (week.share, week.is_over, week.at_least) == (1.0, True, False)
    december, january = periods(data, date(2025, 12, 31), date(2026, 1, 1), "months")
    assert (december.active_users, december.server_seconds, december.sessions) == (2, 5400, 2)
    assert (january.active_users, january.server_seconds, january.sessions) == (2, 5400, 1)


def test_a_day_in_a_gap_has_no_figures_although_some_usage_is_known() -> None:
    start, end = at("2026-03-02 00:00"), at("2026-03-05 00:00")
    gap = (at("2026-03-03 00:00"), at("2026-03-04 00:00"))
    data = history("UTC", [(start, gap[0]), (gap[1], end)], [session(1, start, end)])

    [before, within, after] = periods(data, date(2026, 3, 2), date(2026, 3, 4), "days")
    assert before.server_seconds == after.server_seconds == 24 * HOUR
    assert within == Period(within.first, within.last, 0.0, is_over=True, at_least=False)
    total = period(data, date(2026, 3, 2), date(2026, 3, 4))
    assert total.at_least
    assert total.server_seconds == 72 * HOUR
    assert total.mean_servers == 1.0


def test_a_quarter_without_complete_data_is_left_out_of_the_average() -> None:
    start = at("2026-03-02 00:00")
    data = history(
        "UTC",
        [(start, start + 1000), (start + 1700, start + 2700)],
        [session(1, start, start + 900), session(2, start + 900, start + 1800)],
    )

    today = period(data, date(2026, 3, 2), date(2026, 3, 2))

    assert today.mean_servers == 0.5  # of 0:00 to 0:15 and 0:30 to 0:45
    assert today.server_seconds == 1800
    assert today.share == 2000 / 86400
    assert not today.is_over


def test_a_day_with_data_for_some_minutes_has_counts_but_no_average() -> None:
    start = at("2026-03-02 00:01")
    data = history("UTC", [(start, start + 600)], [session(1, start, start + 600)])

    today = period(data, date(2026, 3, 2), date(2026, 3, 2))

    assert (today.active_users, today.peak_servers, today.mean_servers) == (1, 1, None)
    assert today.at_least


def test_days_before_the_first_sample_are_unknown_and_the_week_is_a_lower_bound() -> None:
    start, end = at("2026-03-04 12:00"), at("2026-03-09 00:00")
    data = history("UTC", [(start, end)], [session(1, at("2026-03-02 12:00"), end)])

    days = periods(data, date(2026, 3, 2), date(2026, 3, 5), "days")
    assert [day.server_seconds for day in days] == [None, None, 24 * HOUR, 24 * HOUR]
    assert [day.at_least for day in days] == [False, False, True, False]
    [week] = periods(data, date(2026, 3, 2), date(2026, 3, 8), "weeks")
    assert week.at_least
    assert week.share == 4.5 / 7
    assert week.server_seconds == 6.5 * 24 * HOUR


def test_days_to_come_are_unknown() -> None:
    start = at("2026-03-02 00:00")
    data = history("UTC", [(start, start + 86400)])

    [over, to_come] = periods(data, date(2026, 3, 2), date(2026, 3, 3), "days")
    assert (over.active_users, over.is_over) == (0, True)
    assert (to_come.active_users, to_come.is_over) == (None, False)


def test_a_visit_makes_active_and_nothing_else() -> None:
    start = at("2026-03-02 00:00")
    visit = Visit(1, at("2026-03-02 23:00") // HOUR)
    data = history("UTC", [(start, start + 86400)], visits=[visit])

    day = period(data, date(2026, 3, 2), date(2026, 3, 2))

    assert (day.active_users, day.server_seconds, day.sessions) == (1, 0, 0)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # begins at 01:00
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # begins at 01:00
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # its last hour is repeated
        ("America/Havana", date(2026, 11, 1), 25),  # its first hour is repeated
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_shows(zone: str, day: date, hours: float) -> None:
    noon = at(f"{day} 12:00", zone)
    start, end = noon - 3 * 24 * HOUR, noon + 3 * 24 * HOUR
    data = history(zone, [(start, end)], [session(1, start, end)])

    figures = period(data, day, day)

    assert figures.server_seconds == hours * HOUR
    assert (figures.mean_servers, figures.share, figures.at_least) == (1.0, 1.0, False)


def test_midnight_in_a_zone_that_is_off_by_45_minutes() -> None:
    midnight = at("2026-03-03 00:00", "Asia/Kathmandu")
    assert midnight == at("2026-03-02 18:15")
    data = history(
        "Asia/Kathmandu",
        [(midnight - 86400, midnight + 86400)],
        [session(1, midnight - 600, midnight + 300)],
    )

    [before, after] = periods(data, date(2026, 3, 2), date(2026, 3, 3), "days")
    assert (before.server_seconds, before.sessions, before.active_users) == (600, 1, 1)
    assert (after.server_seconds, after.sessions, after.active_users) == (300, 0, 1)


def test_the_first_hour_of_a_day_without_midnight_is_its_own() -> None:
    first = at("2026-04-24 01:00", "Africa/Cairo")
    data = history(
        "Africa/Cairo", [(first - 86400, first + 82800)], [session(1, first - 60, first + 30)]
    )

    [before, after] = periods(data, date(2026, 4, 23), date(2026, 4, 24), "days")
    assert (before.server_seconds, after.server_seconds) == (60, 30)


def test_a_day_that_a_zone_left_out_is_unknown() -> None:
    start = at("2011-12-29 00:00", "Pacific/Apia")
    data = history("Pacific/Apia", [(start, start + 2 * 86400)], [session(1, start, start + 60)])

    days = periods(data, date(2011, 12, 29), date(2011, 12, 31), "days")

    assert [day.active_users for day in days] == [1, None, 0]
    assert [day.share for day in days] == [1.0, 0.0, 1.0]


def test_a_server_that_still_runs_counts_up_to_the_latest_sample() -> None:
    start = at("2026-03-02 00:00")
    data = history("UTC", [(start, start + 7200)], [running(1, start + 3600, start + 7200)])

    today = period(data, date(2026, 3, 2), date(2026, 3, 2))

    assert (today.server_seconds, today.sessions, today.mean_servers) == (3600, 1, 0.5)


@given(small_hubs())
def test_the_sum_over_days_is_the_total(hub: SmallHub) -> None:
    data = hub.history()
    first = min(data.hub_totals)
    days = [period(data, day, day) for day in date_range(first, hub.last)]
    total = period(data, first, hub.last)
    span = data.span(first, hub.last)

    assert total.server_seconds == sum(session.end - session.started for session in hub.sessions)
    assert total.sessions == len(hub.sessions)
    assert span.end - span.start == sum(
        day_bounds(day, data.zone).end - day_bounds(day, data.zone).start
        for day in date_range(first, hub.last)
    )
    seen = [day for day in days if day.active_users is not None]
    assert max(day.active_users or 0 for day in seen) <= (total.active_users or 0) <= 5
    assert max(day.peak_servers or 0 for day in seen) <= (total.peak_servers or 0)


@given(small_hubs())
def test_the_sum_over_users_is_the_total(hub: SmallHub) -> None:
    data = hub.history()
    parts = [period(data.restricted({user}), hub.first, hub.last) for user in range(1, 6)]
    total = period(data, hub.first, hub.last)

    assert total.active_users == sum(one.active_users or 0 for one in parts)
    assert total.server_seconds == sum(one.server_seconds or 0 for one in parts)
    assert total.sessions == sum(one.sessions or 0 for one in parts)
    if total.mean_servers is not None:
        assert total.mean_servers == pytest.approx(sum(one.mean_servers or 0 for one in parts))
    assert (total.peak_servers or 0) <= sum(one.peak_servers or 0 for one in parts)


@given(small_hubs())
def test_the_peak_is_no_lower_than_the_average(hub: SmallHub) -> None:
    data = hub.history()

    for unit in ("days", "weeks", "months"):
        for figures in periods(data, hub.first, hub.last, unit):
            assert (figures.active_users is None) == (figures.share == 0)
            if figures.mean_servers is not None:
                assert figures.peak_servers is not None
                assert figures.peak_servers >= figures.mean_servers
