from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import at, history, session
from tornado_service.activity.figures.heatmap import (
    HeatMap,
    MaintenanceWindow,
    heat_map,
    longest_stretch,
)
from tornado_service.activity.history.history import History
from tornado_service.activity.web import formatting

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = date(2026, 2, 2)
START = at("2026-02-02 00:00")
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def hub(
    busy: Collection[int], *, days: float = 28, holes: Collection[tuple[float, float]] = ()
) -> History:
    """One server in these hours of each week; no data in holes, which are in days."""
    sessions = [
        session(1, START + week * WEEK + hour * HOUR, START + week * WEEK + (hour + 1) * HOUR)
        for week in range(6)
        for hour in busy
    ]
    edges = [0, *(edge for hole in sorted(holes) for edge in hole), days]
    moments = [START + int(edge * DAY) for edge in edges]
    return history("UTC", [*zip(moments[::2], moments[1::2], strict=True)], sessions)


def of(data: History, days: int = 28) -> HeatMap:
    return heat_map(data, MONDAY, MONDAY + timedelta(days=days - 1))


def busy_but(*quiet: range) -> list[int]:
    return [hour for hour in range(168) if not any(hour in hours for hours in quiet)]


def test_it_is_the_longest_stretch_with_the_fewest_servers() -> None:
    week = of(hub(busy_but(range(2, 6), range(30, 33), range(100, 101))))

    assert week.maintenance_window == MaintenanceWindow(
        weekday=0, hour=2, hours=4, mean_servers=0.0, peak_servers=0
    )
    assert week.quietest == week.hours[2:6]
    assert week.weeks_missing == 0


def test_it_goes_on_from_sunday_to_monday() -> None:
    week = of(hub(busy_but(range(160, 168), range(3), range(50, 60))))

    window = week.maintenance_window
    assert window == MaintenanceWindow(SUNDAY, 16, 11, 0.0, 0)
    assert week.quietest == (*week.hours[160:], *week.hours[:3])
    assert formatting.hours_of_week(window) == "Sunday 16:00 to Monday 03:00"


def test_where_servers_always_run_it_has_their_average_and_peak() -> None:
    data = hub(range(168))
    brief = [
        session(user, START + hour * HOUR, START + hour * HOUR + 900)
        for hour in (*range(10), *range(12, 168))
        for user in range(2, 5)
    ]
    data = history("UTC", [(START, START + 28 * DAY)], [*data.sessions, *brief])

    assert of(data).maintenance_window == MaintenanceWindow(0, 10, 2, 1.0, 1)


def test_on_a_hub_that_is_never_idle_hours_that_differ_little_are_one_stretch() -> None:
    levels = [Fraction(30)] * 168
    levels[2:7] = map(Fraction, (11, 10, Fraction(109, 10), Fraction(21, 2), 12))

    assert longest_stretch(levels, [40] * 168) == [2, 3, 4, 5]


def test_of_equally_long_stretches_that_with_the_lower_peak_is_better() -> None:
    data = hub(range(168))
    halves = [
        session(user, START + week * WEEK + hour * HOUR, START + week * WEEK + hour * HOUR + length)
        for week in range(4)
        for hour in range(168)
        for user, length in (
            [(2, HOUR)]
            if hour == 90
            else [(2, 1800), (3, 1800)]
            if hour == 20
            else [(2, HOUR), (3, 900)]
        )
    ]
    data = history("UTC", [(START, START + 28 * DAY)], [*data.sessions, *halves])

    assert of(data).hours[20].mean_servers == of(data).hours[90].mean_servers == 2.0
    assert of(data).maintenance_window == MaintenanceWindow(3, 18, 1, 2.0, 2)


@pytest.mark.parametrize("busy", [(), range(168)], ids=["no servers", "equally busy"])
def test_a_week_without_a_quieter_hour_is_one_stretch(busy: Collection[int]) -> None:
    week = of(hub(busy))

    level = 1 if busy else 0
    assert week.maintenance_window == MaintenanceWindow(0, 0, 168, level, level)
    assert week.quietest == week.hours


def test_only_users_who_see_the_whole_hub_get_it() -> None:
    week = of(hub(range(100)).restricted({1}))

    assert (week.maintenance_window, week.quietest, week.weeks_missing) == (None, None, 0)


@pytest.mark.parametrize(
    ("days", "missing"),
    [(0.01, 20), (6.5, 13), (13, 7), (18.99, 1), (19.04, 1), (19.1, 0), (21, 0), (28, 0)],
)
def test_it_needs_20_days_of_data_and_never_0_more(days: float, missing: int) -> None:
    week = of(hub(busy_but(range(2, 6)), days=days))

    assert week.days_missing == missing
    assert (week.maintenance_window is None) == (missing > 0)


@pytest.mark.parametrize(
    "holes", [[(3, 4)], [(10.5, 12)], [(0.5, 8.5)], [(20, 27.9)], [(2, 2.5), (9, 9.1), (15, 15.01)]]
)
def test_a_february_with_gaps_has_it(holes: list[tuple[float, float]]) -> None:
    week = of(hub(busy_but(range(2, 6)), holes=holes))

    assert week.maintenance_window is not None
    assert week.quietest is not None
    assert {0} == {hour.mean_servers for hour in week.quietest}


def test_an_hour_of_the_day_with_too_little_data_is_not_in_it() -> None:
    nights = [(day + 3 / 24, day + 4 / 24) for day in range(9)]

    week = of(hub(busy_but(range(2, 6)), holes=nights))

    assert week.hours[3].share == 0.5
    assert week.maintenance_window == MaintenanceWindow(0, 4, 2, 0.0, 0)


def test_an_hour_of_the_week_that_has_data_once_is_not_in_it() -> None:
    mondays = [(7 * week + 3 / 24, 7 * week + 4 / 24) for week in range(3)]

    week = of(hub(busy_but(range(2, 6)), holes=mondays))

    assert week.hours[3].share == 0.25
    assert week.maintenance_window == MaintenanceWindow(0, 4, 2, 0.0, 0)


#: Ten and eleven count as equal.
LEVELS = [*map(Fraction, (0, 1, 10, 11, 12))]


@given(
    st.lists(st.none() | st.sampled_from(LEVELS), min_size=1, max_size=12),
    st.data(),
)
def test_no_other_stretch_is_quieter_or_longer(
    levels: list[Fraction | None], data: st.DataObject
) -> None:
    size = len(levels)
    peaks = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))

    stretch = longest_stretch(levels, peaks)

    lowest = min((level for level in levels if level is not None), default=None)
    quiet = [level is not None and level <= lowest * Fraction(11, 10) for level in levels]
    assert all(quiet[number] for number in stretch)
    runs = [
        [(begin + n) % size for n in range(length)]
        for length in range(1, size + 1)
        for begin in range(size)
    ]
    best = [run for run in runs if all(quiet[hour] for hour in run)]
    assert len(stretch) == max(map(len, best), default=0)
    if best:
        longest = [run for run in best if len(run) == len(stretch)]
        peak = min(max(peaks[hour] for hour in run) for run in longest)
        assert max(peaks[hour] for hour in stretch) == peak
        assert stretch == min(run for run in longest if max(peaks[hour] for hour in run) == peak)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (MaintenanceWindow(SATURDAY, 22, 30, 0, 0), "2026-03-07 22:00", "2026-03-09 04:00"),
        (MaintenanceWindow(FRIDAY, 3, 1, 0, 0), "2026-03-06 03:00", "2026-03-06 04:00"),
        (MaintenanceWindow(3, 3, 1, 0, 0), "2026-03-12 03:00", "2026-03-12 04:00"),
    ],
)
def test_when_it_comes_next(window: MaintenanceWindow, start: str, end: str) -> None:
    interval = window.next_from(date(2026, 3, 6), ZoneInfo("Europe/Berlin"))

    assert (interval.start, interval.end) == (at(start, "Europe/Berlin"), at(end, "Europe/Berlin"))
