"""Figures as text. ``None``, for what is not known, stays ``None``."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..figures.heatmap import MaintenanceWindow
from ..figures.periods import window
from .csv_export import WEEKDAYS

MINUTE = 60
HOUR = 3600

#: Between a number and its unit.
NBSP = "\u00a0"
MINUS = "\u2212"


def number(value: float | None, decimals: int = 0) -> str | None:
    return None if value is None else f"{value:,.{decimals}f}"


def hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / HOUR:,.1f}{NBSP}h"


def money(value: float | None, currency: str) -> str | None:
    return None if value is None else f"{value:,.2f}{NBSP}{currency}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def length(seconds: float | None) -> str | None:
    """A duration: in minutes up to an hour, then in hours."""
    if seconds is None or seconds >= HOUR:
        return hours(seconds)
    return f"{math.floor(seconds / MINUTE)}{NBSP}min"


def duration(text: str) -> str:
    """A duration of a query: ``30m``, ``2h``, ``1d``."""
    number, unit = int(text[:-1]), text[-1]
    word = {"m": "min", "h": "h", "d": "day" if number == 1 else "days"}[unit]
    return f"{number:,}{NBSP}{word}"


def percent(share: float) -> str:
    """Never 100 % for less than all, nor 0 % for more than nothing."""
    if 0 < share < 0.01:
        return f"less than 1{NBSP}%"
    return f"{math.floor(share * 100)}{NBSP}%"


def change(relative: float | None) -> str:
    if relative is None:
        return ""
    percentage = round(relative * 100)
    sign = "+" if percentage > 0 else MINUS if percentage else "±"
    return f"{sign}{abs(percentage):,}{NBSP}%"


def days(first: date, last: date) -> str:
    """Days in a row in few words: a day, a month, or the first and the last day."""
    if first == last:
        return day(last)
    if first.day == 1 and last == window("months", first)[1]:
        return month(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    begin = f"{first.day} {first:%B}" if first.year == last.year else day(first)
    return f"{begin} to {day(last)}"


def day(date_: date) -> str:
    return f"{date_.day} {date_:%B %Y}"


def month(date_: date) -> str:
    return f"{date_:%B %Y}"


def clock(moment: int | datetime | None, zone: ZoneInfo) -> str | None:
    """Date and time on the wall clock."""
    if moment is None:
        return None
    at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, zone)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def hours_of_week(window: MaintenanceWindow) -> str:
    begin = 24 * window.weekday + window.hour
    ends = (begin, (begin + window.hours) % (7 * 24))
    return " to ".join(f"{WEEKDAYS[at // 24]} {at % 24:02}:00" for at in ends)
