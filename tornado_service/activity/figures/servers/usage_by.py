"""Usage by the profile or by the name of servers, over time; from single sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Literal, TypeAlias

from ...domain.calendar import date_range
from ...history.history import History
from ...history.server_days import ServerDay, server_days
from ..availability import availability
from ..cost import HOUR, price_of, sum_costs
from ..periods import Unit, windows

Kind = Literal["profile", "server"]

#: The name of a profile or server. Empty: no profile, the default server; ``None``: not known.
Name: TypeAlias = "str | None"


@dataclass(frozen=True)
class NamedUsage:
    """Usage of the servers with one profile or name.

    Attributes:
        name: empty for servers without a profile, and for default servers; ``None``: the profile
            is not known.
        server_seconds: the running time of these servers.
        sessions: how many of theirs began.
        active_users: users who used one of them.
        cost: of the server-hours; ``None``: there are no prices, or some of the profiles are not
            known.
    """

    name: Name
    server_seconds: int
    sessions: int
    active_users: int
    cost: float | None = None


@dataclass(frozen=True)
class UsageByPeriod:
    """Some days in a row.

    Attributes:
        share: the part of it that has data so far, 0 to 1.
        is_over: whether it has ended.
        at_least: whether a part of what has passed has no data: figures are lower bounds.
        usage: by profile or server name, the most server-hours first; ``None``: there is no data,
            or sessions of that time are no longer stored.
    """

    first: date
    last: date
    share: float
    is_over: bool
    at_least: bool
    usage: tuple[NamedUsage, ...] | None = None


@dataclass(frozen=True)
class UsageBy:
    """Usage by profile or by server name in a period.

    Attributes:
        zone: time zone of the days.
        whole: the period as one.
        periods: each day, week or month of it.
    """

    zone: str
    whole: UsageByPeriod
    periods: tuple[UsageByPeriod, ...]

    @property
    def weight(self) -> int:
        """Rows in all of it, for the cache."""
        return sum(len(period.usage or ()) + 1 for period in (self.whole, *self.periods))


@dataclass(slots=True)
class _Sums:
    seconds: int = 0
    sessions: int = 0
    users: set[int] = field(default_factory=set)
    costs: list[float | None] = field(default_factory=list)


def usage_by(history: History, first: date, last: date, unit: Unit, kind: Kind) -> UsageBy:
    spans = list(windows(unit, first, last))
    days: dict[date, list[ServerDay]] = {}
    for row in server_days(history, spans[0][0], spans[-1][1]):
        days.setdefault(row.day, []).append(row)

    def sums_of(first: date, last: date) -> dict[Name, _Sums]:
        rows = chain.from_iterable(days.get(day, ()) for day in date_range(first, last))
        return _sums(history, rows, kind)

    whole: dict[Name, _Sums] = {}
    periods = []
    for begin, end in spans:
        part = sums_of(begin, end)
        periods.append(_period(history, begin, end, part))
        if begin < first or last < end:
            part = sums_of(max(first, begin), min(last, end))
        _add(whole, part)
    return UsageBy(history.zone.key, _period(history, first, last, whole), tuple(periods))


def _sums(history: History, rows: Iterable[ServerDay], kind: Kind) -> dict[Name, _Sums]:
    names: dict[Name, _Sums] = {}
    for row in rows:
        sums = names.setdefault(row.profile if kind == "profile" else row.server, _Sums())
        sums.seconds += row.seconds
        sums.sessions += row.sessions
        sums.users.update(row.users)
        price = price_of(history.prices, row.server, row.profile)
        sums.costs.append(None if price is None else row.seconds * price / HOUR)
    return names


def _add(names: dict[Name, _Sums], more: Mapping[Name, _Sums]) -> None:
    for name, sums in more.items():
        total = names.setdefault(name, _Sums())
        total.seconds += sums.seconds
        total.sessions += sums.sessions
        total.users |= sums.users
        total.costs += sums.costs


def _period(history: History, first: date, last: date, names: dict[Name, _Sums]) -> UsageByPeriod:
    available = availability(history, first, last)
    frame = (first, last, available.coverage, available.is_complete, available.is_partial)
    if not available.usage or not available.keeps_sessions:
        return UsageByPeriod(*frame)
    usage = [
        NamedUsage(name, sums.seconds, sums.sessions, len(sums.users), sum_costs(sums.costs))
        for name, sums in names.items()
    ]
    usage.sort(key=lambda row: (-row.server_seconds, row.name is None, row.name or ""))
    return UsageByPeriod(*frame, usage=tuple(usage))
