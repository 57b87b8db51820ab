"""A report with figures that are chosen by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from tests.support.activity import small_hub
from tests.support.activity.small_hub import at, session
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.comparison import Comparison
from tornado_service.activity.figures.reports.report import Report, report

HOUR = 3600
OCTOBER = date(2026, 10, 1), date(2026, 10, 31)

#: October 2026: two users in three sessions of 6 hours; the month before, one in 4 hours; the year
#: before, two in 12 hours.
SESSIONS = (
    (1, "2025-10-06 08:00", "2025-10-06 16:00"), (2, "2025-10-07 08:00", "2025-10-07 12:00"),
    (1, "2026-09-01 10:00", "2026-09-01 14:00"), (1, "2026-10-05 10:00", "2026-10-05 12:00"),
    (1, "2026-10-06 10:00", "2026-10-06 11:00"), (2, "2026-10-07 09:00", "2026-10-07 12:00"),
)  # fmt: skip


def october(
    *,
    start: str = "2025-01-01 00:00",
    now: str = "2026-11-02 12:00",
    prices: Prices | None = None,
    days: tuple[date, date] = OCTOBER,
    members_of: Any = None,
    terms: Any = (),
    unit: Any = "days",
    **more: Any,
) -> Report:
    data = small_hub.history(
        "UTC",
        [(at(start), at(now))],
        [
            session(user, at(begin), at(end))
            for user, begin, end in SESSIONS
            if at(start) <= at(begin) < at(now)
        ],
    )
    figures = report(replace(data, prices=prices), *days, unit, terms, members_of)
    return replace(figures, **more)


NOTHING_COMPARED = Comparison(None, None)
