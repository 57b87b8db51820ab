"""The cost of server-hours, by the prices of the settings.

Servers with a price of their own are taken from single sessions, all others from daily totals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import date

from ..domain.prices import Prices
from ..domain.records import Session
from ..history.history import History
from ..history.server_days import server_days
from .availability import availability

HOUR = 3600

#: Digits after the decimal point of all amounts.
DIGITS = 4


def amount(seconds: float, price: float) -> float:
    """The cost of a running time."""
    return round(seconds / HOUR * price, DIGITS)


def cost(history: History, first: date, last: date, seconds: int | None) -> float | None:
    """The cost of days in a row, in which servers ran for these seconds.

    ``None``: there are no prices or no data, or prices depend on the profile or the name of servers
    and a session is no longer stored, or its profile is not known.
    """
    prices = history.prices
    if prices is None or seconds is None or not has_sessions(history, first, prices):
        return None
    seconds_at: Counter[float | None] = Counter()
    if prices.kind is not None:
        for row in server_days(history, first, last):
            seconds_at[prices.of(row.server, row.profile)] += row.seconds
    total = 0.0
    for price, ran in seconds_at.items():
        if price is None:
            return None
        if price != prices.default:
            total += ran * price
            seconds -= ran
    return round((total + seconds * prices.default) / HOUR, DIGITS)


def price_of(prices: Prices | None, server: str, profile: str | None) -> float | None:
    """``None``, too, if there are no prices."""
    return prices.of(server, profile) if prices else None


def cost_of_session(history: History, session: Session) -> float | None:
    price = price_of(history.prices, session.server, session.profile)
    return None if price is None else amount(session.end - session.started, price)


def sum_costs(costs: Iterable[float | None]) -> float | None:
    """``None``, if one of them is not known."""
    known: list[float] = []
    for one in costs:
        if one is None:
            return None
        known.append(one)
    return round(math.fsum(known), DIGITS)


def has_sessions(history: History, first: date, prices: Prices) -> bool:
    """Whether all sessions that the cost of days from ``first`` on depends on are still stored."""
    return prices.kind is None or availability(history, first, first).keeps_sessions
