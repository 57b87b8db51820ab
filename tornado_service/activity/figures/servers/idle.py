"""The share of server-hours in which servers were idle, over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ...history.history import History
from ..availability import availability
from ..cost import cost
from ..periods import Unit, windows


@dataclass(frozen=True)
class IdlePeriod:
    """Some days in a row. Figures are ``None`` where they are not known.

    A server is idle while more than 15 minutes have passed since its last activity.

    Attributes:
        share: the part of it that has data so far, 0 to 1.
        is_over: whether it has ended.
        at_least: whether a part of what has passed has no data: sums are lower bounds.
        server_seconds: the running time of all servers.
        observed_seconds: the part of it of which it is known whether the server was idle.
        idle_seconds: the part of that in which it was.
        idle_share: ``idle_seconds`` divided by ``observed_seconds``, 0 to 1.
        cost: of the server-hours; ``None``, too, if there are no prices.
    """

    first: date
    last: date
    share: float
    is_over: bool
    at_least: bool
    server_seconds: int | None = None
    observed_seconds: int | None = None
    idle_seconds: int | None = None
    idle_share: float | None = None
    cost: float | None = None


@dataclass(frozen=True)
class IdleTime:
    """Idle time in a period.

    Attributes:
        zone: time zone of the days.
        whole: the period as one.
        periods: each day, week or month of it.
    """

    zone: str
    whole: IdlePeriod
    periods: tuple[IdlePeriod, ...]


def idle_time(history: History, first: date, last: date, unit: Unit) -> IdleTime:
    return IdleTime(
        zone=history.zone.key,
        whole=idle_period(history, first, last),
        periods=tuple(idle_period(history, *window) for window in windows(unit, first, last)),
    )


def idle_period(history: History, first: date, last: date) -> IdlePeriod:
    available = availability(history, first, last)
    frame = (first, last, available.coverage, available.is_complete, available.is_partial)
    if not available.usage:
        return IdlePeriod(*frame)
    days = list(history.between(first, last))
    observed = sum(day.observed for day in days)
    idle = sum(day.idle for day in days)
    seconds = sum(day.seconds for day in days)
    return IdlePeriod(
        *frame,
        server_seconds=seconds,
        observed_seconds=observed,
        idle_seconds=idle if observed else None,
        idle_share=idle / observed if observed else None,
        cost=cost(history, first, last, seconds),
    )
