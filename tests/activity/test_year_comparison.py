"""Comparison, trend and hours of a scripted hub equal those of the script's own ledger."""

from __future__ import annotations

import asyncio
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from statistics import mean

import pytest

from tests.support.activity.ledger import ONE_DAY, each_day, overlap
from tests.support.activity.played import Played, days, months, play, weeks
from tests.support.activity.script import HOUR, write_year
from tests.support.activity.simulator import SimulatedHub, hub_calls
from tornado_service.activity.figures.comparison import PeriodComparison, comparison
from tornado_service.activity.figures.periods import hourly
from tornado_service.activity.figures.trend import trend

Days = tuple[date, date]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Some more than a year of a small hub."""
    script = write_year(5, datetime(2025, 3, 1, tzinfo=timezone.utc), days=420, users=40)
    hub = SimulatedHub(script)
    file = tmp_path_factory.mktemp("year") / "activity.sqlite"
    return asyncio.run(play(script, file, 3 * HOUR, "Europe/Berlin", hub, hub_calls(hub)))


def is_over(played: Played, day: date) -> bool:
    return played.ledger.bounds(day)[1] <= played.ledger.times[-1]


def cut(played: Played, later: Days, earlier: Days) -> tuple[Days, Days] | None:
    """The days of both that are compared."""
    if is_over(played, later[1]):
        return later, earlier
    over = [day for day in each_day(*later) if is_over(played, day)]
    pairs = list(zip(over, each_day(*earlier), strict=False))
    return ((later[0], pairs[-1][0]), (earlier[0], pairs[-1][1])) if pairs else None


def expected_values(played: Played, span: Days) -> tuple[float, dict[str, int | None]]:
    figures = played.ledger.period(*span)
    names = ("active_users", "server_seconds", "sessions", "peak_servers")
    if figures is None:
        return 0, dict.fromkeys((*names, "new_users"))
    values = {name: figures[name] for name in names}
    is_listed = played.ledger.times[0] < played.ledger.bounds(span[1])[1]
    values["new_users"] = len(played.ledger.new(*span)) if is_listed else None
    return figures["share"], values


def assert_compared(
    played: Played, found: PeriodComparison | None, later: Days, earlier: Days
) -> None:
    spans = cut(played, later, earlier)
    if spans is None:
        assert found is None
        return
    assert found is not None
    assert (found.first, found.last) == spans[0]
    assert (found.earlier_first, found.earlier_last) == spans[1]
    (share, values), (earlier_share, before) = (expected_values(played, span) for span in spans)
    assert (found.share, found.earlier_share) == pytest.approx((share, earlier_share))
    for name, value in values.items():
        figure = getattr(found, name)
        assert (figure.value, figure.earlier) == (value, before[name]), (later, name)
        is_known = min(share, earlier_share) >= 0.95 and value is not None and before[name]
        expected = (value - before[name]) / before[name] if is_known else None
        assert figure.change == (None if expected is None else pytest.approx(expected))


def periods_of(played: Played) -> Iterator[Days]:
    yield from weeks(played)
    for number, (day, _) in enumerate(days(played)):
        if number % 11 == 0:
            yield day, day + timedelta(28)  # no month
            yield day, day


def test_periods_are_compared_with_the_days_before_and_a_year_before(played: Played) -> None:
    comparable = 0
    for first, last in periods_of(played):
        both = comparison(played.history, first, last)
        length = timedelta((last - first).days + 1)
        assert_compared(played, both.previous, (first, last), (first - length, first - ONE_DAY))
        year = timedelta(364)
        assert_compared(played, both.year_before, (first, last), (first - year, last - year))
        comparable += bool(both.year_before and both.year_before.is_comparable)
    assert comparable > 5


def test_months_are_compared_with_the_months_before(played: Played) -> None:
    for first, last in months(played):
        before = first - ONE_DAY
        days_of_it = monthrange(before.year, before.month)[1]
        assert_compared(
            played,
            comparison(played.history, first, last).previous,
            (first, last),
            (before.replace(day=1), before.replace(day=days_of_it)),
        )


def test_the_trend(played: Played) -> None:
    ledger = played.ledger

    def covered(day: date, length: int) -> float:
        start, end = ledger.bounds(day - timedelta(length - 1))[0], ledger.bounds(day)[1]
        return ledger.covered(start, end) / (end - start)

    def average(day: date, length: int) -> float | None:
        if not is_over(played, day) or covered(day, length) < 0.95:
            return None
        window = each_day(day - timedelta(length - 1), day)
        return mean(len(ledger.active_on(each)) for each in window if covered(each, 1))

    found = trend(played.history, played.first, played.last).days
    assert [row.day for row in found] == list(each_day(played.first, played.last))
    assert sum(row.stickiness is not None for row in found) > 200
    for row in found:
        for length, value in (
            (1, row.daily_active_users),
            (7, row.weekly_active_users),
            (30, row.monthly_active_users),
        ):
            window = row.day - timedelta(length - 1), row.day
            known = covered(row.day, length) > 0
            assert value == (len(ledger.active_users(*window)) if known else None)
        assert row.daily_average_7 == average(row.day, 7)
        daily = average(row.day, 30)
        ratio = None if daily is None else daily / row.monthly_active_users
        assert row.stickiness == (None if ratio is None else pytest.approx(ratio))
        known = covered(row.day, 1) > 0
        assert row.new_users == (len(ledger.new(row.day, row.day)) if known else None)


def test_the_hours_of_each_day(played: Played) -> None:
    ledger = played.ledger
    for number, (day, _) in enumerate(days(played)):
        if number % 7 and not 82 <= day.timetuple().tm_yday <= 90:
            continue
        sessions = ledger.by_day.get(day, [])
        quarters = ledger.covered_quarters(day)
        rows = hourly(played.history, day, day)
        start, end = ledger.bounds(day)
        assert len(rows) == (end - start) // HOUR
        for row, begin in zip(rows, range(start, end, HOUR), strict=True):
            assert row.start.timestamp() == begin
            inside = [slot for slot in quarters if begin <= slot[0] < begin + HOUR]
            assert row.share == len(inside) / 4
            levels = [sum(overlap(session, *slot) for session in sessions) / 900 for slot in inside]
            peaks = [ledger.peak(sessions, *slot) for slot in inside]
            assert row.mean_servers == (pytest.approx(mean(levels)) if inside else None)
            assert row.peak_servers == max(peaks, default=None)
