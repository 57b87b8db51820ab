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


def hour(of: HeatMap, weekday: int, number: int) -> Hour:
    found = of.hours[24 * weekday + number]
    assert (found.weekday, found.hour) == (weekday, number)
    return found


def test_an_hour_is_the_mean_of_those_of_all_weeks() -> None:
    known = history(
        "UTC",
        [(START, START + 2 * WEEK)],
        [
            session(1, at("2026-03-03 09:30"), at("2026-03-03 11:00")),
            session(2, at("2026-03-10 09:00"), at("2026-03-10 09:30")),
        ],
    )

    of = heat_map(known, MONDAY, MONDAY + timedelta(days=13))

    assert hour(of, 1, 9) == Hour(1, 9, share=1.0, mean_servers=0.5, peak_servers=1)
    assert hour(of, 1, 10) == Hour(1, 10, share=1.0, mean_servers=0.5, peak_servers=1)
    assert hour(of, 2, 9) == Hour(2, 9, share=1.0, mean_servers=0.0, peak_servers=0)


def test_only_watched_quarters_count() -> None:
    watched = at("2026-03-02 10:40")
    known = history(
        "UTC",
        [(watched, START + 86400)],
        [session(1, at("2026-03-02 10:00"), at("2026-03-02 10:50"))],
    )

    of = heat_map(known, MONDAY, MONDAY)

    assert hour(of, 0, 9) == Hour(0, 9, share=0.0, mean_servers=None, peak_servers=None)
    assert hour(of, 0, 10) == Hour(0, 10, share=0.25, mean_servers=5 / 15, peak_servers=1)
    assert hour(of, 1, 10) == Hour(1, 10, share=0.0, mean_servers=None, peak_servers=None)


@pytest.mark.parametrize(
    ("zone", "day", "number", "share", "mean"),
    [
        ("Europe/Berlin", "2026-03-29", 2, 0.0, None),  # is left out
        ("Europe/Berlin", "2026-10-25", 2, 1.0, 0.5),  # comes twice
        ("Africa/Cairo", "2026-04-24", 0, 0.0, None),
        ("Asia/Kathmandu", "2026-03-29", 2, 1.0, 1.0),
    ],
)
def test_hours_are_those_of_the_wall_clock(
    zone: str, day: str, number: int, share: float, mean: float | None
) -> None:
    noon = at(f"{day} 12:00", zone)
    ran = at(f"{day} 02:00", zone), at(f"{day} 02:00", zone) + HOUR
    known = history(zone, [(noon - 86400, noon + 86400)], [session(1, *ran)])
    of_day = date.fromisoformat(day)

    found = hour(heat_map(known, of_day, of_day), of_day.weekday(), number)

    assert (found.share, found.mean_servers) == (share, mean)


def test_usual_hours_are_the_part_of_the_watched_days() -> None:
    known = history(
        "UTC",
        [(START, START + 4 * 86400)],
        [
            session(1, START + 10 * HOUR, START + 12 * HOUR),
            session(1, START + 86400, START + 90000),
        ],
    )

    hours = hours_of_day(known, MONDAY, MONDAY + timedelta(days=3))

    assert hours == (0.25, *[0.0] * 9, 0.25, 0.25, *[0.0] * 12)


@given(small_hubs())
def test_all_hours_together_are_the_mean_of_the_range(hub: SmallHub) -> None:
    known = hub.history()
    of = heat_map(known, hub.first, hub.last)
    whole = period(known, hub.first, hub.last)

    for each in of.hours:
        assert (each.mean_servers is None) == (each.peak_servers is None) == (each.share == 0)
        assert (each.mean_servers or 0) <= (each.peak_servers or 0) <= (whole.peak_servers or 0)
    means = [each.mean_servers for each in of.hours if each.mean_servers is not None]
    if means:
        assert whole.mean_servers is not None
        assert min(means) - 1e-9 <= whole.mean_servers <= max(means) + 1e-9
