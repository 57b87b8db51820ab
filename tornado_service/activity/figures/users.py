"""Users: new, returning, never returned, and their sums."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from operator import add
from typing import NamedTuple

from ..domain.calendar import ONE_DAY, local_date, utc_datetime
from ..domain.records import Account
from ..history.columns import compact
from ..history.history import History
from ..history.usage import DayUsage, bitmap, members
from .availability import RETURN_WITHIN, Availability, availability
from .cost import sum_costs
from .periods import windows
from .user_costs import costs_of_users

#: Who was not seen for so many days is away.
INACTIVE_AFTER = 90


@dataclass(slots=True)  # a frozen one takes longer to make, and all users have one
class PersonRow:
    """One user in a period; ``None``: not known.

    Attributes:
        arrived: when they came to the hub.
        last_active: the last day on which they were active, up to the latest sample.
        deleted: time of the first sample without them.
        is_away: they exist, and were last active more than 90 days before the latest sample.
        is_earlier: another account has the name now, or had it later: ``people/{name}`` is that.
        cost: of the server-hours; ``None``, too, if there are no prices.
    """

    name: str
    server_seconds: int | None
    active_days: int | None
    sessions: int | None
    arrived: datetime | None
    last_active: date | None
    deleted: datetime | None
    is_new: bool | None
    is_returning: bool | None
    never_returned: bool | None
    is_away: bool
    is_earlier: bool
    cost: float | None = None


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
    """Usage by the members of a group in a period; ``None``: it has no data.

    Attributes:
        cost: of the server-hours; ``None``, too, if there are no prices.
    """

    name: str
    members: int
    active_users: int | None
    server_seconds: int | None
    sessions: int | None
    cost: float | None = None


class Cohorts(NamedTuple):
    """Users of a period by when they came and whether they came back; ``None``: not known."""

    new: frozenset[int] | None
    returning: frozenset[int] | None
    never_returned: frozenset[int] | None


def people(history: History, first: date, last: date) -> list[PersonRow]:
    """All users, by id."""
    available = availability(history, first, last)
    sums = user_totals(history, first, last) if available.usage else {}
    costs = costs_of(history, first, last, sums)
    no_cost = None if history.prices is None or not available.usage else 0.0
    nothing = Totals() if available.usage else (None, None, None)
    is_new, is_returning, is_lost = map(_membership, cohorts_of(history, available, first, last))
    seen = last_active(history)
    gone_since = local_date(history.now, history.zone) - timedelta(days=INACTIVE_AFTER)
    latest = history.ids
    rows = []
    for id_, person in sorted(history.people.items()):
        active_days, server_seconds, sessions = sums.get(id_, nothing)
        day = seen.get(id_)
        rows.append(
            PersonRow(
                name=person.name,
                server_seconds=server_seconds,
                active_days=active_days,
                sessions=sessions,
                arrived=utc_datetime(arrival_time(history, person)),
                last_active=day,
                deleted=utc_datetime(person.deleted),
                is_new=is_new(id_),
                is_returning=is_returning(id_),
                never_returned=is_lost(id_),
                is_away=person.deleted is None and day is not None and day < gone_since,
                is_earlier=latest[person.name] != id_,
                cost=costs.get(id_, no_cost),
            )
        )
    return rows


def _membership(ids: frozenset[int] | None) -> Callable[[int], bool | None]:
    return (lambda _: None) if ids is None else ids.__contains__


def people_counts(history: History, first: date, last: date) -> PeopleCounts:
    available = availability(history, first, last)
    end = history.span(first, last).end
    accounts = sum(
        person.first_seen < end and person.exists_at(end) for person in history.people.values()
    )
    cohorts = cohorts_of(history, available, first, last)
    return PeopleCounts(
        accounts if available.accounts else None,
        *(None if ids is None else len(ids) for ids in cohorts),
    )


def cohorts_of(history: History, available: Availability, first: date, last: date) -> Cohorts:
    return Cohorts(
        new_users(history, first, last) if available.accounts else None,
        returning(history, first, last) if available.returning else None,
        never_returned(history, available.evaluated_on) if available.never_returned else None,
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


def new_counts(history: History, spans: Iterable[tuple[date, date]]) -> list[int | None]:
    """The number of new users of each of some periods."""
    moments = (arrival_time(history, person) for person in history.people.values())
    arrivals = sorted(moment for moment in moments if moment is not None)
    counts: list[int | None] = []
    for first, last in spans:
        span = history.span(first, last)
        count = bisect_left(arrivals, span.end) - bisect_left(arrivals, span.start)
        counts.append(count if availability(history, first, last).accounts else None)
    return counts


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
        and person.exists_at(end)
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
    active = history.active(first, last)
    sums = [[0] * active.bit_length() for _ in range(3)]
    for begin, end in windows("months", first, last):
        days = list(history.between(max(first, begin), min(last, end)))
        if first <= begin and end <= last:
            month = history.derived_cache.get(("sums", begin), days, partial(_sums, days))
        else:
            month = _sums(days)
        for column, of_month in zip(sums, month, strict=True):
            column[: len(of_month)] = map(add, column, of_month)
    active_days, seconds, sessions = sums
    return {
        user: Totals(active_days[user], seconds[user], sessions[user]) for user in members(active)
    }


def costs_of(
    history: History, first: date, last: date, totals: Mapping[int, Totals]
) -> dict[int, float | None]:
    """The cost of each user with these totals."""
    seconds = {user: of_user.server_seconds for user, of_user in totals.items()}
    return costs_of_users(history, first, last, seconds)


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
    return compact(active_days), compact(seconds), compact(sessions)


def groups(
    history: History, first: date, last: date, members_of: Mapping[str, Collection[int]]
) -> list[GroupUse]:
    """Each group by what its current members did in a period; by name."""
    has_data = availability(history, first, last).usage
    sums = user_totals(history, first, last) if has_data else {}
    costs = costs_of(history, first, last, sums)
    rows = []
    for name, users in sorted(members_of.items()):
        members_active = sorted(set(users) & sums.keys())
        active = [sums[user] for user in members_active]
        usage = (
            len(active),
            sum(totals.server_seconds for totals in active),
            sum(totals.sessions for totals in active),
            None if history.prices is None else sum_costs(costs[user] for user in members_active),
        )
        rows.append(GroupUse(name, len(users), *(usage if has_data else (None, None, None, None))))
    return rows
