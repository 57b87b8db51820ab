from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import pytest

from tests.support.activity.small_hub import at, history, session
from tornado_service.activity.domain.records import Account
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.reports.month_report import MonthReport, month_report
from tornado_service.activity.figures.users import people_counts

HOUR = 3600
ZONE = "Europe/Berlin"
FEBRUARY = date(2026, 2, 1), date(2026, 2, 28)
MARCH = date(2026, 3, 1), date(2026, 3, 31)
START = at("2026-01-10 00:00", ZONE)
NOW = at("2026-04-02 00:00", ZONE)


def report(*, gap_days: int = 0) -> MonthReport:
    gap = at("2026-03-10 00:00", ZONE)
    data = history(
        ZONE,
        [(START, gap), (gap + gap_days * 24 * HOUR, NOW)],
        [
            session(1, at("2026-02-02 10:00", ZONE), at("2026-02-02 12:00", ZONE)),
            session(1, at("2026-03-02 10:00", ZONE), at("2026-03-02 12:00", ZONE)),
            session(2, at("2026-03-02 11:00", ZONE), at("2026-03-02 12:00", ZONE)),
        ],
        people=[Account(1, "ada", START), Account(2, "bob", at("2026-03-01 00:00", ZONE))],
    )
    return month_report(data, date(2026, 3, 17), {"class-a": {1}})


def test_a_month_compared_with_the_previous_one() -> None:
    march = report()

    assert (march.zone, march.as_of) == (ZONE, NOW)
    assert (march.month.whole.first, march.month.whole.last) == MARCH
    assert (march.previous.whole.first, march.previous.whole.last) == FEBRUARY
    assert (march.month.whole.active_users, march.previous.whole.active_users) == (2, 1)
    assert march.changes.active_users == 1.0
    assert march.changes.server_seconds == 0.5
    assert march.changes.sessions == 1.0
    assert march.changes.peak_servers == 1.0
    hours = 24 * 31 - 1  # the clock was put forward
    assert march.changes.mean_servers == pytest.approx((3 / hours) / (2 / (24 * 28)) - 1)
    assert (march.month.people.new, march.previous.people.new) == (1, 0)
    assert march.month.people.returning == 1
    assert [group.server_seconds for group in march.groups] == [2 * HOUR]


def test_its_parts_are_the_figures_of_the_month() -> None:
    march = report()

    assert len(march.days) == 31
    assert (march.days[0].first, march.days[-1].last) == MARCH
    assert (march.weeks[0].first, march.weeks[-1].last) == (date(2026, 2, 23), date(2026, 4, 5))
    assert (march.heat_map.first, march.heat_map.last) == MARCH


def test_months_with_too_little_data_are_not_compared() -> None:
    assert report(gap_days=1).changes.active_users == 1.0
    assert report(gap_days=2).changes.active_users is None


def test_nothing_is_compared_with_a_month_without_usage() -> None:
    data = history(ZONE, [(START, NOW)], [session(1, NOW - 7 * 24 * HOUR, NOW)])

    changes = month_report(data, date(2026, 3, 1)).changes

    assert set(asdict(changes).values()) == {None}


def test_a_report_agrees_with_the_single_figures() -> None:
    data = history(ZONE, [(START, NOW)], [session(1, START, NOW)])

    month = month_report(data, date(2026, 2, 28)).month

    assert month.whole == period(data, *FEBRUARY)
    assert month.lengths == lengths(data, *FEBRUARY)
    assert month.people == people_counts(data, *FEBRUARY)


def test_january_follows_december() -> None:
    data = history(ZONE, [(START, NOW)])

    january = month_report(data, date(2026, 1, 10))

    assert january.previous.whole.first == date(2025, 12, 1)
    assert january.previous.whole.active_users is None


def test_a_report_is_json() -> None:
    text = json.dumps(asdict(report()), default=str)

    assert json.loads(text)["month"]["whole"]["active_users"] == 2
