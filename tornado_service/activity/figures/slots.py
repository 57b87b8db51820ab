"""Slots (quarters of an hour): which of a day's have data, and in which local hour they lie.

All zones differ from UTC by whole quarters of an hour, so no slot straddles two hours or days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..domain.calendar import SLOT, day_bounds, observed_intervals
from ..domain.records import DayTotal
from ..history.history import History


def observed_slots(history: History, total: DayTotal) -> Sequence[int]:
    """The numbers of a day's slots that have data from beginning to end."""
    bounds = day_bounds(total.day, history.zone)
    # a day of long ago may be one of another zone, in which it was longer or shorter
    slots = range(min(len(total.slot_seconds), (bounds.end - bounds.start) // SLOT))
    if total.covered == bounds.end - bounds.start:
        return slots
    quarters: list[int] = []
    for interval in observed_intervals(history.coverage, bounds):
        first = -((bounds.start - interval.start) // SLOT)
        quarters += slots[first : (interval.end - bounds.start) // SLOT]
    return quarters


def local_hours(day: date, zone: ZoneInfo) -> Sequence[int]:
    """The hour on the wall clock, 0 to 23, of each slot of a day."""
    bounds = day_bounds(day, zone)
    if bounds.end - bounds.start == 24 * 3600:
        return _REGULAR_DAY_HOURS
    return [datetime.fromtimestamp(at, zone).hour for at in range(bounds.start, bounds.end, SLOT)]


_REGULAR_DAY_HOURS = [quarter // 4 for quarter in range(96)]
