from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given

from tests.support.activity.small_hub import SmallHub, at, history, session, small_hubs
from tornado_service.activity.figures.heatmap import HeatMap, Hour, heat_map, hours_of_day
from tornado_service.activity.figures.periods import period

HOUR = 3600
WEEK = 7 * 24 * HOUR
START = at("2026-03-02 00:00")
MONDAY = date(2026, 3, 2)


def hour(week: HeatMap, weekday: int, number: int) -> Hour:
    hour_ = week.hours[24 * weekday + number]
    assert (hour_.weekday, hour_.hour) == (weekday, number)
    return hour_


def test_an_hour_is_the_average_of_those_of_all_weeks() -> None:
    data = history(
        "UTC",
        [(START, START + 2 * WEEK)],
        [
            session(1, at("2026-03-03 09:30"), at("2026-03-03 11:00")),
            session(2, at("2026-03-10 09:00"), at("2026-03-10 09:30")),
        ],
    )

    week = heat_map(data, MONDAY, MONDAY + timedelta(days=13))

    assert hour(week, 1, 9) == Hour(1, 9, share=1.0, mean_servers=0.5, peak_servers=1)
    assert hour(week, 1, 10) == Hour(1, 10, share=1.0, mean_servers=0.5, peak_servers=1)
    assert hour(week, 2, 9) == Hour(2, 9, share=1.0, mean_servers=0.0, peak_servers=0)


def test_only_covered_quarters_count() -> None:
    watched = at("2026-03-02 10:40")
    data = history(
        "UTC",
        [(watched, START + 86400)],
        [session(1, at("2026-03-02 10:00"), at("2026-03-02 10:50"))],
    )

    week = heat_map(data, MONDAY, MONDAY)

    assert hour(week, 0, 9) == Hour(0, 9, share=0.0, mean_servers=None, peak_servers=None)
    assert hour(week, 0, 10) == Hour(0, 10, share=0.25, mean_servers=5 / 15, peak_servers=1)
    assert hour(week, 1, 10) == Hour(1, 10, share=0.0, mean_servers=None, peak_servers=None)


@pytest.mark.parametrize(
    ("zone", "day", "number", "share", "mean"),
    [
        ("Europe/Berlin", "2026-03-29", 2, 0.0, None),  # is skipped
        ("Europe/Berlin", "2026-10-25", 2, 1.0, 0.5),  # is repeated
        ("Africa/Cairo", "2026-04-24", 0, 0.0, None),
        ("Asia/Kathmandu", "2026-03-29", 2, 1.0, 1.0),
    ],
)
def test_hours_are_those_of_the_wall_clock(
    zone: str, day: str, number: int, share: float, mean: float | None
) -> None:
    noon = at(f"{day} 12:00", zone)
    ran = at(f"{day} 02:00", zone), at(f"{day} 02:00", zone) + HOUR
    data = history(zone, [(noon - 86400, noon + 86400)], [session(1, *ran)])
    of_day = date.fromisoformat(day)

    hour_ = hour(heat_map(data, of_day, of_day), of_day.weekday(), number)

    assert (hour_.share, hour_.mean_servers) == (share, mean)


def test_usual_hours_are_a_share_of_the_covered_days() -> None:
    data = history(
        "UTC",
        [(START, START + 4 * 86400)],
        [
            session(1, START + 10 * HOUR, START + 12 * HOUR),
            session(1, START + 86400, START + 90000),
        ],
    )

    hours = hours_of_day(data, MONDAY, MONDAY + timedelta(days=3))

    assert hours == (0.25, *[0.0] * 9, 0.25, 0.25, *[0.0] * 12)


@given(small_hubs())
def test_all_hours_together_are_the_average_of_the_range(hub: SmallHub) -> None:
    data = hub.history()
    week = heat_map(data, hub.first, hub.last)
    total = period(data, hub.first, hub.last)

    for hour in week.hours:
        assert (hour.mean_servers is None) == (hour.peak_servers is None) == (hour.share == 0)
        assert (hour.mean_servers or 0) <= (hour.peak_servers or 0) <= (total.peak_servers or 0)
    means = [hour.mean_servers for hour in week.hours if hour.mean_servers is not None]
    if means:
        assert total.mean_servers is not None
        assert min(means) - 1e-9 <= total.mean_servers <= max(means) + 1e-9
