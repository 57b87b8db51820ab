"""The cost of server-hours, by the prices of the settings.

Servers with a price of their own are taken from single sessions, all others from daily totals.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..domain.calendar import date_range, day_bounds, local_date
from ..domain.prices import Prices
from ..domain.records import Session
from ..history.history import History
from ..history.sessions import WEEK, PackedWeek
from .availability import availability

HOUR = 3600

#: Digits after the decimal point of all amounts.
DIGITS = 4


class PricedDay(NamedTuple):
    """Seconds of one day at a price that is not the default one; ``None``: it is not known."""

    day: date
    price: float | None
    users: array[int]  # may be there several times
    seconds: array[int]


def amount(seconds: float, price: float) -> float:
    """The cost of a running time."""
    return round(seconds / HOUR * price, DIGITS)


def cost(history: History, first: date, last: date, seconds: int | None) -> float | None:
    """The cost of days in a row, in which servers ran for these seconds.

    ``None``: there are no prices or no data, or prices depend on the profile or the name of servers
    and a session is no longer stored, or its profile is not known.
    """
    prices = history.prices
    if prices is None or seconds is None or not _has_sessions(history, first, prices):
        return None
    total = seconds * prices.default
    for row in _priced_days(history, first, last, prices):
        if row.price is None:
            return None
        total += sum(row.seconds) * (row.price - prices.default)
    return round(total / HOUR, DIGITS)


def price_of(prices: Prices | None, server: str, profile: str | None) -> float | None:
    """``None``, too, if there are no prices."""
    return prices.of(server, profile) if prices else None


def cost_of_session(history: History, session: Session) -> float | None:
    price = price_of(history.prices, session.server, session.profile)
    return None if price is None else amount(session.end - session.started, price)


def costs_of_users(
    history: History, first: date, last: date, seconds: Mapping[int, int]
) -> dict[int, float | None]:
    """The cost of each user whose servers ran in a period, for how long; see `cost`."""
    prices = history.prices
    if prices is None or not _has_sessions(history, first, prices):
        return dict.fromkeys(seconds)
    more: defaultdict[int, float] = defaultdict(float)
    unknown: set[int] = set()
    for row in _priced_days(history, first, last, prices):
        if row.price is None:
            unknown.update(row.users)
            continue
        surcharge = row.price - prices.default
        for user, ran in zip(row.users, row.seconds, strict=True):
            more[user] += ran * surcharge
    return {
        user: None
        if user in unknown
        else round((ran * prices.default + more.get(user, 0.0)) / HOUR, DIGITS)
        for user, ran in seconds.items()
    }


def sum_costs(costs: Iterable[float | None]) -> float | None:
    """``None``, if one of them is not known."""
    known: list[float] = []
    for one in costs:
        if one is None:
            return None
        known.append(one)
    return round(math.fsum(known), DIGITS)


def _has_sessions(history: History, first: date, prices: Prices) -> bool:
    return prices.kind is None or availability(history, first, first).keeps_sessions


def _priced_days(history: History, first: date, last: date, prices: Prices) -> Iterator[PricedDay]:
    if prices.kind is None:
        return
    span, sessions = history.span(first, last), history.sessions
    for number, ended in sessions.latest.items():
        if number <= (span.end - 1) // WEEK and ended >= span.start and number in sessions.weeks:
            week = sessions.weeks[number]  # the same object until one of its sessions changes
            compute = partial(_days_of_week, week, prices, history.zone)
            for row in history.derived_cache.get(("priced", number), [week], compute):
                if first <= row.day <= last:
                    yield row
    running = (
        (session.user, session.started, session.end, prices.of(session.server, session.profile))
        for session in sessions.running
        if session.started < span.end
    )
    for row in _by_day(running, prices, history.zone):
        if first <= row.day <= last:
            yield row


def _days_of_week(week: PackedWeek, prices: Prices, zone: ZoneInfo) -> list[PricedDay]:
    of = map(prices.of, week.servers, week.profiles)
    return _by_day(zip(week.users, week.started, week.ends, of, strict=True), prices, zone)


def _by_day(
    sessions: Iterable[tuple[int, int, int, float | None]], prices: Prices, zone: ZoneInfo
) -> list[PricedDay]:
    rows: dict[tuple[date, float | None], PricedDay] = {}
    for user, started, end, price in sessions:
        if price == prices.default:
            continue
        for day in date_range(local_date(started, zone), local_date(max(started, end - 1), zone)):
            bounds = day_bounds(day, zone)
            row = rows.get((day, price))
            if row is None:
                row = rows[day, price] = PricedDay(day, price, array("i"), array("i"))
            row.users.append(user)
            row.seconds.append(min(end, bounds.end) - max(started, bounds.start))
    return list(rows.values())
