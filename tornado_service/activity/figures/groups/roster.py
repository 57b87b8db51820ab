"""The roster of a group: who has not started, and who was last active when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ...domain.calendar import date_range, local_date, utc_datetime
from ...history.history import History
from ...history.usage import members
from ..availability import availability
from ..users import Totals, costs_of, last_active, user_totals

#: The longest period whose days are all in the strip, and the days of the strip of a longer one.
MAX_STRIP, USUAL_STRIP = 62, 28

#: A day of a strip; spreadsheets take none of them for a formula.
ACTIVE, INACTIVE, NO_DATA = "a", ".", "?"

#: More days than a user can have been inactive.
NEVER = 1_000_000


@dataclass(frozen=True)
class RosterMember:
    """One member of a group; ``None``: not known, or never active.

    Attributes:
        has_account: whether the history has an account of theirs: ``people/{name}`` is there.
        never_active: no activity is known, neither from samples nor from the hub.
        last_active: the last day on which they were active, up to the latest sample.
        days_inactive: days from `last_active` to the day of the latest sample.
        active_days: days of the period on which they were active.
        server_seconds: in the period.
        cost: of these; ``None``, too, if there are no prices.
        strip: a character for each day from `strip_first` to `strip_last`: ``a`` active, ``.`` not
            active, ``?`` no data.
    """

    name: str
    has_account: bool
    never_active: bool
    last_active: date | None
    days_inactive: int | None
    active_days: int | None
    server_seconds: int | None
    strip: str
    cost: float | None = None

    @property
    def inactivity(self) -> int:
        """For sorting: who was never active has been inactive for longest."""
        return NEVER if self.days_inactive is None else self.days_inactive


@dataclass(frozen=True)
class Roster:
    """The members of a group, those without an account in the history too."""

    as_of: datetime | None
    strip_first: date
    strip_last: date
    members: tuple[RosterMember, ...]


def roster(history: History, first: date, last: date, names: Iterable[str]) -> Roster:
    """Users by name: those who were never active, then from the longest inactive on.

    Args:
        history: of these users, as far as they have accounts.
        first: the first day of the period.
        last: its last day.
        names: as they are shown.
    """
    has_data = availability(history, first, last).usage
    sums = user_totals(history, first, last) if has_data else {}
    costs = costs_of(history, first, last, sums)
    no_cost = 0.0 if has_data and history.prices else None
    today = local_date(history.now, history.zone)
    days = strip_days(first, last, today)
    active_on = [_active_on(history, day) for day in date_range(*days)]
    seen = last_active(history)
    accounts = {account.name: id_ for id_, account in history.people.items() if not account.deleted}
    rows = []
    for name in set(names):
        id_ = accounts.get(name, -1)
        totals = sums.get(id_, Totals()) if has_data else None
        day = seen.get(id_)
        rows.append(
            RosterMember(
                name,
                has_account=name in accounts,
                never_active=day is None,
                last_active=day,
                days_inactive=None if day is None else max(0, (today - day).days),
                active_days=None if totals is None else totals.active_days,
                server_seconds=None if totals is None else totals.server_seconds,
                strip="".join(_strip_character(id_, users) for users in active_on),
                cost=costs.get(id_, no_cost),
            )
        )
    rows.sort(key=lambda row: (-row.inactivity, row.name.casefold(), row.name))
    return Roster(utc_datetime(history.now or None), *days, tuple(rows))


def strip_days(first: date, last: date, today: date) -> tuple[date, date]:
    """The first and the last day of the strips: the period, or 28 days of a longer one."""
    if (last - first).days < MAX_STRIP:
        return first, last
    end = max(first + timedelta(USUAL_STRIP - 1), min(last, today))
    return end - timedelta(USUAL_STRIP - 1), end


def _active_on(history: History, day: date) -> frozenset[int] | None:
    """Ids of those who were active on a day; ``None``: it has no data."""
    if not history.observed_seconds(day, day):
        return None
    usage = history.days.get(day)
    return frozenset(members(usage.active)) if usage else frozenset()


def _strip_character(id_: int, active: frozenset[int] | None) -> str:
    if active is None:
        return NO_DATA
    return ACTIVE if id_ in active else INACTIVE
