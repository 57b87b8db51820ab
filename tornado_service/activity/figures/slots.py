"""Quarters of an hour: which of a day's were watched, and in which local hour they lie.

All zones differ from UTC by whole quarters of an hour, so none straddles two local hours or days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..domain.calendar import SLOT, day_bounds, observed_intervals
from ..domain.records import DayTotal
from ..history.history import History


def observed_slots(history: History, total: DayTotal) -> Sequence[int]:
    """Those of a day that were watched from beginning to end, by number."""
    of = day_bounds(total.day, history.zone)
    # a day of long ago may be one of another zone, in which it was longer or shorter
    known = range(min(len(total.slot_seconds), (of.end - of.start) // SLOT))
    if total.covered == of.end - of.start:
        return known
    quarters: list[int] = []
    for each in observed_intervals(history.coverage, of):
        first = -((of.start - each.start) // SLOT)
        quarters += known[first : (each.end - of.start) // SLOT]
    return quarters


def local_hours(day: date, zone: ZoneInfo) -> Sequence[int]:
    """The hour on the wall clock, 0 to 23, of each quarter of a day."""
    of = day_bounds(day, zone)
    if of.end - of.start == 24 * 3600:
        return _REGULAR_DAY_HOURS
    return [datetime.fromtimestamp(at, zone).hour for at in range(of.start, of.end, SLOT)]


_REGULAR_DAY_HOURS = [quarter // 4 for quarter in range(96)]
