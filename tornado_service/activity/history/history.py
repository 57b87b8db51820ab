"""What figures are computed from: each day's users as bits of a number, and packed sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial, reduce
from itertools import groupby
from operator import attrgetter, or_
from zoneinfo import ZoneInfo

from ..domain.calendar import (
    ONE_DAY,
    SLOT,
    date_range,
    day_bounds,
    day_total,
    local_date,
    observed_intervals,
    user_days,
)
from ..domain.concurrency import Concurrency
from ..domain.idle import ObservedTimes
from ..domain.prices import Prices
from ..domain.pseudonyms import NameMapper, identity
from ..domain.records import (
    FAR_FUTURE,
    Account,
    DayTotal,
    Interval,
    Session,
    UserDay,
    Visit,
    accounts_by_name,
)
from .cache import DerivedCache
from .columns import compact
from .sessions import PackedSessions
from .usage import DayUsage, bitmap

#: When users were created, by name.
CreationTimes = frozenset[tuple[str, int | None]]


@dataclass(frozen=True)
class History:
    """The history of a hub, or of some of its users; immutable: see `updated`."""

    zone: ZoneInfo  # time zone of the days
    now: int = 0  # time of the latest sample
    revision: int = 0  # of the days that were over for long by then
    observed_from: int | None = None  # when data collection began
    #: the first full sample, from which on it is known which users exist; ``FAR_FUTURE``: there is
    #: none
    listed_from: int | None = None
    listed_to: int | None = None  # the latest full sample
    sessions_from: int | None = None  # sessions that ended before have been dropped; ``None``: none
    people: Mapping[int, Account] = field(default_factory=dict)
    coverage: tuple[Interval, ...] = ()  # the time that has data, in order
    days: Mapping[date, DayUsage] = field(default_factory=dict)
    #: of the whole hub, whoever the users are
    hub_totals: Mapping[date, DayTotal] = field(default_factory=dict)
    sessions: PackedSessions = field(default_factory=PackedSessions)
    #: the last day that comes from the roll-ups; later ones are computed from sessions
    closed: date | None = None
    users: frozenset[int] | None = None  # whose history it is; ``None``: all users'
    map_name: NameMapper = identity  # maps names of the hub to those of accounts
    prices: Prices | None = None  # of server-hours; ``None``: no cost is shown
    #: values computed from days and weeks that earlier and later histories share
    derived_cache: DerivedCache = field(default_factory=DerivedCache, compare=False)

    def updated(
        self,
        *,
        now: int,
        people: Iterable[Account],
        coverage: Iterable[Interval],
        observed_from: int | None,
        listed_from: int | None = None,
        listed_to: int | None = None,
        revision: int = 0,
        sessions_from: int | None = None,
        user_days: Iterable[UserDay] = (),
        day_totals: Iterable[DayTotal] = (),
        sessions: Iterable[Session] = (),
        visits: Iterable[Visit] = (),
        observed: Iterable[ObservedTimes] = (),
    ) -> History:
        """Add what is new; to an empty history, everything. See also the attributes.

        ``people`` and ``coverage`` are complete. ``user_days``, in order, and ``day_totals``
        replace those of the same days; ``sessions`` are those that are new or changed; ``visits``
        and ``observed`` are all since the last closed day. ``listed_from`` is ``observed_from`` by
        default.
        """
        totals = {total.day: total for total in day_totals}
        closed = max(filter(None, [self.closed, *totals]), default=None)
        kept = self.sessions
        if sessions_from not in (None, self.sessions_from):
            kept = kept.since(sessions_from)
        closed_days = {
            day: DayUsage.pack(rows) for day, rows in groupby(user_days, key=attrgetter("day"))
        }
        history = replace(
            self,
            now=now,
            revision=revision,
            observed_from=observed_from,
            listed_from=observed_from if listed_from is None else listed_from,
            listed_to=listed_to,
            sessions_from=sessions_from,
            people={person.id: person for person in people},
            coverage=tuple(coverage),
            days={day: self.days[day] for day in self.days if day not in totals} | closed_days,
            hub_totals={**self.hub_totals, **totals},
            sessions=kept.updated(sessions) if kept else PackedSessions.pack(sessions),
            closed=closed,
        )
        return history._with_open_days(visits, observed)

    def _with_open_days(
        self, visits: Iterable[Visit], observed: Iterable[ObservedTimes]
    ) -> History:
        """Add the days that have no roll-up yet, from sessions and visits."""
        last = local_date(self.now, self.zone)
        if self.closed:
            first = self.closed + ONE_DAY
        else:
            begun, _ = self.sessions.starts_and_ends()
            earliest = min([*begun, self.now if self.observed_from is None else self.observed_from])
            first = local_date(earliest, self.zone)
        if first > last:
            return self
        span = self.span(first, last)
        sessions = self.sessions.overlapping(span.start, span.end)
        rows = user_days(sessions, visits, first, last, self.zone, observed)
        servers = Concurrency(*sessions.starts_and_ends())
        totals = {
            day: day_total(servers, self.coverage, day, self.zone)
            for day in date_range(first, last)
        }
        made = {day: DayUsage.pack(of_day) for day, of_day in groupby(rows, key=attrgetter("day"))}
        unchanged = {day: self.days[day] for day in self.days if not first <= day <= last}
        return replace(self, days=unchanged | made, hub_totals={**self.hub_totals, **totals})

    def restricted(
        self, users: Collection[int], derived_cache: DerivedCache | None = None
    ) -> History:
        """The history of some users, by id: every figure of it is computed from their usage alone.

        ``derived_cache`` may be that of an earlier history of the same users.
        """
        chosen = frozenset(users)
        mask = bitmap(chosen)
        derived_cache = derived_cache or DerivedCache()
        return replace(
            self,
            people={user: self.people[user] for user in chosen if user in self.people},
            days={
                day: derived_cache.get(
                    ("day", day), [usage], partial(usage.restricted, chosen, mask)
                )
                for day, usage in self.days.items()
                if usage.active & mask
            },
            sessions=self.sessions.restricted(chosen, derived_cache),
            users=chosen,
            derived_cache=derived_cache,
        )

    @property
    def is_listed(self) -> bool:
        """Whether there is a full sample: else it is not known which users exist."""
        return self.listed_from not in (None, FAR_FUTURE)

    def knows_users(self, last: date) -> bool:
        """Whether it is known which users existed at the end of a day."""
        return self.listed_from is not None and self.listed_from < self.span(last, last).end

    def ids_of(self, names: Iterable[str], created: CreationTimes = frozenset()) -> frozenset[int]:
        """Ids of the existing accounts that have these names at the hub.

        A name whose account was deleted, or is another user's, has not been in a sample yet.
        ``created``: when users of these names were created, as far as the hub was asked.
        """
        accounts = {name: self._existing.get(self.map_name(name)) for name in names}
        times = dict(created)
        return frozenset(
            account.id
            for name, account in accounts.items()
            if account and (name not in times or account.matches_creation(times[name]))
        )

    @cached_property
    def _existing(self) -> dict[str, Account]:
        accounts = self.people.values()
        return {account.name: account for account in accounts if account.deleted is None}

    @cached_property
    def ids(self) -> dict[str, int]:
        """The account that has each name, or had it last."""
        return {name: person.id for name, person in accounts_by_name(self.people.values()).items()}

    def span(self, first: date, last: date) -> Interval:
        return Interval(day_bounds(first, self.zone).start, day_bounds(last, self.zone).end)

    def totals(self, first: date, last: date) -> list[DayTotal]:
        """The known totals of these days."""
        totals = (self._total(day) for day in date_range(first, last) if day in self.hub_totals)
        return [total for total in totals if total]

    def _total(self, day: date) -> DayTotal | None:
        if self.users is None:
            return self.hub_totals[day]
        if not self.has_sessions_of(day):
            return None
        if day not in self.days:
            total = self.hub_totals[day]
            nothing = (0,) * len(total.slot_seconds)
            return DayTotal(day, total.covered, 0, 0, 0, nothing, nothing)
        monday = day - timedelta(days=day.weekday())
        return self._own_week(monday)[day]

    def _own_week(self, monday: date) -> dict[date, DayTotal]:
        sunday = monday + timedelta(days=6)
        days = [day for day in date_range(monday, sunday) if day in self.hub_totals]

        def make() -> dict[date, DayTotal]:
            span = self.span(monday, sunday)
            sessions = self.sessions.overlapping(span.start, span.end)
            servers = Concurrency(*sessions.starts_and_ends())
            return {
                day: _packed(day_total(servers, self.coverage, day, self.zone))
                for day in days
                if day in self.days  # the others have no usage
            }

        return self.derived_cache.get(
            ("totals", monday), [self.hub_totals[day] for day in days], make
        )

    def has_sessions_of(self, day: date) -> bool:
        """Whether no session of a day has been dropped."""
        return self.sessions_from is None or self.sessions_from <= self.span(day, day).start

    def observed_seconds(self, first: date, last: date) -> int:
        """Seconds that have data."""
        totals = (self.hub_totals.get(day) for day in date_range(first, last))
        return sum(total.covered for total in totals if total)

    def observed_slots(self, total: DayTotal) -> Sequence[int]:
        """The numbers of a day's slots that have data from beginning to end."""
        bounds = day_bounds(total.day, self.zone)
        # a day of long ago may be one of another zone, in which it was longer or shorter
        slots = range(min(len(total.slot_seconds), (bounds.end - bounds.start) // SLOT))
        if total.covered == bounds.end - bounds.start:
            return slots
        observed: list[int] = []
        for interval in observed_intervals(self.coverage, bounds):
            first = -((bounds.start - interval.start) // SLOT)
            observed += slots[first : (interval.end - bounds.start) // SLOT]
        return observed

    def active(self, first: date, last: date) -> int:
        """Users who were active on any of these days, as bits."""
        return reduce(or_, (day.active for day in self.between(first, last)), 0)

    def between(self, first: date, last: date) -> Iterator[DayUsage]:
        """The days on which a user was active."""
        return (self.days[day] for day in date_range(first, last) if day in self.days)


def _packed(total: DayTotal) -> DayTotal:
    """The same in a sixth of the memory: there is one for each day of each view."""
    return replace(
        total, slot_seconds=compact(total.slot_seconds), slot_peaks=compact(total.slot_peaks)
    )
