"""Users: new, returning, never returned, and their sums."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from operator import add
from typing import NamedTuple

from ..domain.calendar import ONE_DAY, local_date
from ..domain.records import Account
from ..history.history import History
from ..history.usage import DayUsage, bitmap, members
from .availability import RETURN_WITHIN, availability
from .periods import windows

#: Who was not seen for so many days is away.
INACTIVE_AFTER = 90


class PersonUse(NamedTuple):
    """One user's usage in a period. ``None``: not known, as the same figure of all users.

    As of the latest sample, whatever the period: `person`, `arrived`, `last_active`, `is_away`.

    Attributes:
        arrived: when they came to the hub; ``None``: before data collection began.
        last_active: the last day on which they were active.
        active_days: days of the period on which they were active.
        is_new: they arrived in the period.
        is_returning: they were active in it and before it.
        never_returned: see `never_returned`, by the end of the period.
        is_away: they exist, and were last active more than ``INACTIVE_AFTER`` days ago.
        is_earlier: another account has the name now, or had it later.
    """

    person: Account
    arrived: int | None
    last_active: date | None
    active_days: int | None
    server_seconds: int | None
    sessions: int | None
    is_new: bool | None
    is_returning: bool | None
    never_returned: bool | None
    is_away: bool
    is_earlier: bool = False


@dataclass(frozen=True)
class PeopleCounts:
    """Numbers of users; ``None``: not known.

    Attributes:
        accounts: at the end of the period, or now.
    """

    accounts: int | None
    new: int | None
    returning: int | None
    never_returned: int | None


class Totals(NamedTuple):
    """One user's sums over a period."""

    active_days: int = 0
    server_seconds: int = 0
    sessions: int = 0


@dataclass(frozen=True)
class GroupUse:
    """Usage by the members of a group in a period; ``None``: it has no data."""

    name: str
    members: int
    active_users: int | None
    server_seconds: int | None
    sessions: int | None


def people(history: History, first: date, last: date) -> list[PersonUse]:
    """All users, by id."""
    available = availability(history, first, last)
    sums = user_totals(history, first, last) if available.usage else {}
    nothing = Totals() if available.usage else (None, None, None)
    new = new_users(history, first, last) if available.accounts else None
    back = returning(history, first, last) if available.returning else None
    lost = never_returned(history, available.evaluated_on) if available.never_returned else None
    seen = last_active(history)
    gone_since = local_date(history.now, history.zone) - timedelta(days=INACTIVE_AFTER)
    rows = []
    for id_, person in sorted(history.people.items()):
        active_days, server_seconds, sessions = sums.get(id_, nothing)
        day = seen.get(id_)
        rows.append(
            PersonUse(
                person,
                arrival_time(history, person),
                day,
                active_days,
                server_seconds,
                sessions,
                is_new=None if new is None else id_ in new,
                is_returning=None if back is None else id_ in back,
                never_returned=None if lost is None else id_ in lost,
                is_away=person.deleted is None and day is not None and day < gone_since,
                is_earlier=history.ids[person.name] != id_,
            )
        )
    return rows


def people_counts(history: History, first: date, last: date) -> PeopleCounts:
    available = availability(history, first, last)
    end = history.span(first, last).end

    def exists(person: Account) -> bool:
        return person.first_seen < end and (person.deleted is None or person.deleted >= end)

    return PeopleCounts(
        accounts=sum(map(exists, history.people.values())) if available.accounts else None,
        new=len(new_users(history, first, last)) if available.accounts else None,
        returning=len(returning(history, first, last)) if available.returning else None,
        never_returned=len(never_returned(history, available.evaluated_on))
        if available.never_returned
        else None,
    )


def arrival_time(history: History, person: Account) -> int | None:
    """When a user came to the hub: was created, or seen first, if that is earlier.

    ``None``: the user was in the first full sample or seen before it, and the hub does not tell
    when they were created.
    """
    if person.created is not None and person.created <= person.first_seen:
        return person.created
    is_later = history.listed_from is not None and person.first_seen > history.listed_from
    return person.first_seen if is_later else None


def new_users(history: History, first: date, last: date) -> frozenset[int]:
    span = history.span(first, last)
    return frozenset(
        id_
        for id_, person in history.people.items()
        if (moment := arrival_time(history, person)) is not None and span.start <= moment < span.end
    )


def returning(history: History, first: date, last: date) -> frozenset[int]:
    """Users who were active in a period, and on a day before it."""
    earliest = min(history.days, default=first)
    before = history.active(earliest, first - ONE_DAY)
    return frozenset(members(history.active(first, last) & before))


def never_returned(history: History, by: date) -> frozenset[int]:
    """Users who arrived more than ``RETURN_WITHIN`` days before a day, and used one day only.

    Only those who arrived after data collection began, and were not deleted by the end of the day.
    """
    end = history.span(by, by).end
    once = more = 0
    for day in history.between(min(history.days, default=by), by):
        more |= once & day.active
        once |= day.active
    arrived_by = history.span(by - timedelta(days=RETURN_WITHIN), by).start
    return frozenset(
        id_
        for id_ in members(once & ~more)
        if (person := history.people.get(id_))
        and (moment := arrival_time(history, person)) is not None
        and (history.observed_from or 0) <= moment < arrived_by
        and (person.deleted is None or person.deleted >= end)
    )


def last_active(history: History) -> dict[int, date]:
    """The last day on which each user was active: as recorded, or as the hub tells."""
    last_days: dict[int, date] = {}
    missing = bitmap(history.people.keys())
    for day in sorted(history.days, reverse=True):
        hits = history.days[day].active & missing
        if hits:
            last_days.update(dict.fromkeys(members(hits), day))
            missing &= ~hits
    for id_, person in history.people.items():
        if person.last_activity is not None:
            day = local_date(person.last_activity, history.zone)
            last_days[id_] = max(day, last_days.get(id_, day))
    return last_days


def user_totals(history: History, first: date, last: date) -> dict[int, Totals]:
    """Sums of all users who were active in a period."""
    active = history.active(first, last)
    sums = [[0] * active.bit_length() for _ in range(3)]
    for begin, end in windows("month", first, last):
        days = list(history.between(max(first, begin), min(last, end)))
        if first <= begin and end <= last:
            month = history.derived_cache.get(("sums", begin), days, partial(_sums, days))
        else:
            month = _sums(days)
        for column, of_month in zip(sums, month, strict=True):
            column[: len(of_month)] = map(add, column, of_month)
    return {user: Totals(*(column[user] for column in sums)) for user in members(active)}


def _sums(days: Collection[DayUsage]) -> tuple[array[int], array[int], array[int]]:
    """Active days, seconds and sessions, by the number of the user."""
    size = max((day.active.bit_length() for day in days), default=0)
    active_days, seconds, sessions = ([0] * size for _ in range(3))
    for day in days:
        rows = day.rows
        for user, ran, begun in zip(rows.users, rows.seconds, rows.sessions, strict=True):
            active_days[user] += 1
            seconds[user] += ran
            sessions[user] += begun
    return array("q", active_days), array("q", seconds), array("q", sessions)


def groups(
    history: History, first: date, last: date, members_of: Mapping[str, Collection[int]]
) -> list[GroupUse]:
    """Each group by what its current members did in a period; by name."""
    if not availability(history, first, last).usage:
        return [
            GroupUse(name, len(users), None, None, None)
            for name, users in sorted(members_of.items())
        ]
    sums = user_totals(history, first, last)
    rows = []
    for name, users in sorted(members_of.items()):
        active = [sums[user] for user in set(users) if user in sums]
        rows.append(
            GroupUse(
                name,
                members=len(users),
                active_users=len(active),
                server_seconds=sum(totals.server_seconds for totals in active),
                sessions=sum(totals.sessions for totals in active),
            )
        )
    return rows
