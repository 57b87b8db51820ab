"""The cost of each user's server-hours."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from itertools import chain
from operator import add
from typing import NamedTuple

from ..domain.prices import Prices
from ..history.columns import compact
from ..history.history import History
from ..history.server_days import (
    ServerDay,
    finished_server_days,
    running_server_days,
    weeks_between,
)
from ..history.usage import bitmap, members
from .cost import DIGITS, HOUR, has_sessions
from .periods import windows


class _PricedSeconds(NamedTuple):
    """Seconds of some days at prices that are not the default one."""

    columns: dict[float, array[int]]  # by the number of the user
    unknown: int  # users of servers whose price is not known, as bits


def costs_of_users(
    history: History, first: date, last: date, seconds: Mapping[int, int]
) -> dict[int, float | None]:
    """The cost of each user whose servers ran in a period, for how long; see `cost`."""
    prices = history.prices
    if prices is None or not has_sessions(history, first, prices):
        return dict.fromkeys(seconds)
    sums: dict[float, list[int]] = {}
    size, unknown = max(seconds, default=0) + 1, 0
    for part in _parts(history, first, last, prices):
        unknown |= part.unknown
        for price, column in part.columns.items():
            total = sums.setdefault(price, [0] * size)
            total[: len(column)] = map(add, total, column)
    priced, amounts = [0] * size, [0.0] * size
    for price, total in sums.items():
        priced = list(map(add, priced, total))
        amounts = [amount + ran * price for amount, ran in zip(amounts, total, strict=True)]
    costs: dict[int, float | None] = {
        user: round((amounts[user] + (ran - priced[user]) * prices.default) / HOUR, DIGITS)
        for user, ran in seconds.items()
    }
    costs.update((user, None) for user in members(unknown) if user in costs)
    return costs


def _parts(history: History, first: date, last: date, prices: Prices) -> Iterable[_PricedSeconds]:
    """The period month by month, and the running servers."""
    if prices.kind is None:
        return
    for begin, end in windows("months", first, last):
        days = max(first, begin), min(last, end)
        compute = partial(_finished, history, *days, prices)
        if days == (begin, end):
            weeks = [week for _, week in weeks_between(history, *days)]
            yield history.derived_cache.get(("priced", begin), [prices, *weeks], compute)
        else:
            yield compute()
    yield _priced(running_server_days(history, first, last), prices)


def _finished(history: History, first: date, last: date, prices: Prices) -> _PricedSeconds:
    return _priced(finished_server_days(history, first, last), prices)


def _priced(rows: Iterable[ServerDay], prices: Prices) -> _PricedSeconds:
    by_price: dict[float, list[ServerDay]] = {}
    unknown = 0
    for row in rows:
        price = prices.of(row.server, row.profile)
        if price is None:
            unknown |= bitmap(row.users)
        elif price != prices.default:
            by_price.setdefault(price, []).append(row)
    return _PricedSeconds({price: _by_user(of) for price, of in by_price.items()}, unknown)


def _by_user(rows: list[ServerDay]) -> array[int]:
    size = max(chain.from_iterable(row.users for row in rows), default=0) + 1
    sums = [0] * size
    for row in rows:
        for user, ran in zip(row.users, row.user_seconds, strict=True):
            sums[user] += ran
    return compact(sums)
