"""A synthetic history for the demo: terms and holidays, classes, deadlines, an outage."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
from random import Random
from typing import NamedTuple

from sqlalchemy import update

from .collect.collector import next_time
from .domain.calendar import utc_datetime
from .domain.records import Sample, ServerSnapshot, UserSnapshot
from .schema import tables
from .schema.upgrade import open_database
from .store.writer import add_sample

#: Seconds between two samples of it: few enough of them to be kept while a demonstration starts.
INTERVAL = 7200

HOUR = 3600
DAY = 24 * HOUR

#: How much is done at weekends and in holidays, beside a weekday of a term.
WEEKEND, HOLIDAYS = 0.2, 0.12

#: The part of the servers that are left running for hours without use.
LEFT_RUNNING = 0.2

#: Of servers without a GPU, as often as each is here.
PROFILES = ("small", "small", "small", "large")


class SyntheticSession(NamedTuple):
    """One run of one server; its user was not active after ``idle``."""

    server: str
    started: int
    stopped: int
    idle: int
    profile: str


class SyntheticUser(NamedTuple):
    """The habits of a user."""

    name: str
    groups: Sequence[str]
    joined: int  # the first day
    left: int  # the day after the last
    diligence: float  # probability of work outside classes on a weekday of a term


def synthetic_samples(
    groups_of: Mapping[str, Sequence[str]], end: int, *, seed: int = 1, days: int = 365
) -> Iterator[Sample]:
    """Samples up to ``end`` as a collector would take them, without some in which nothing is new.

    The same arguments give the same samples. No server is running at the end.
    """
    start = end - days * DAY
    people = [
        _make_user(_random(seed, name), name, groups, start, end)
        for name, groups in groups_of.items()
    ]
    people.sort(key=attrgetter("joined"))
    runs = {person.name: list(_sessions(seed, person, end)) for person in people}
    outage = start + _random(seed).randrange(days // 4, days // 2 + 1) * DAY
    last = None
    slot = end // INTERVAL * INTERVAL
    # the last is taken at the very end, so that a collector which goes on leaves no gap
    times = [*range(int(next_time(start, INTERVAL)), slot, INTERVAL), end]
    for taken, following in zip(times, [*times[1:], end], strict=True):
        users = tuple(
            _snapshot(person, runs[person.name], taken)
            for person in people
            if person.joined <= taken
        )
        is_needed = last is None or users != last.users or following - last.taken > 2 * INTERVAL
        if (is_needed or taken == end) and not outage <= taken < outage + 20 * HOUR:
            last = Sample(taken, True, users)
            yield last


def write_synthetic_history(
    url: str,
    groups_of: Mapping[str, Sequence[str]],
    end: int,
    created: Mapping[str, int | None] | None = None,
) -> None:
    """Store such samples in a database that is not in use yet: all, or none. It takes seconds.

    ``created``: when the hub's users were created.
    """
    database = open_database(url)
    try:
        with database.writing() as connection:
            for sample in synthetic_samples(groups_of, end):
                add_sample(connection, sample, INTERVAL)
            # a hub that has just begun tells none, which else means accounts created again
            connection.execute(update(tables.users).values(last_activity=None))
            for name, moment in (created or {}).items():
                of_user = update(tables.users).where(tables.users.c.name == name)
                connection.execute(of_user.values(created=moment))
    finally:
        database.close()


def _make_user(
    dice: Random, name: str, groups: Sequence[str], start: int, end: int
) -> SyntheticUser:
    """Most users exist from the beginning; some come later, and some only once."""
    joined, left = start, end
    if dice.random() < 0.3:
        joined = dice.randrange(start, end - (end - start) // 12)
    if dice.random() < 0.06:
        left = joined + 2 * DAY
    return SyntheticUser(name, groups, joined, left, dice.choice([0.08, 0.2, 0.35, 0.5]))


def _sessions(seed: int, person: SyntheticUser, end: int) -> Iterator[SyntheticSession]:
    """All runs of a user's servers, one after the other."""
    free = person.joined
    for midnight in range(person.joined // DAY * DAY, person.left, DAY):
        dice = _random(seed, person.name, midnight)
        for started, length in sorted(_planned_work(seed, person, midnight, dice)):
            # the server is stopped when nobody has used it for a while
            stopped = started + length + dice.randrange(HOUR // 2, HOUR)
            server = "gpu" if dice.random() < 0.06 else ""
            habits = _random(seed, person.name, started)
            if habits.random() < LEFT_RUNNING:
                stopped += habits.randrange(HOUR, 3 * HOUR)
            profile = server or habits.choice(PROFILES)
            if started > free and stopped < end - INTERVAL:
                yield SyntheticSession(server, started, stopped, started + length, profile)
                free = stopped


def _planned_work(
    seed: int, person: SyntheticUser, midnight: int, dice: Random
) -> list[tuple[int, int]]:
    """When a user begins to work on a day, and for how long, in seconds."""
    day = utc_datetime(midnight).date()
    factor = HOLIDAYS if is_holiday(day) else WEEKEND if day.weekday() > 4 else 1.0
    plans = []
    for group in person.groups:
        habits = _random(seed, group)
        weekdays, hour = habits.sample(range(5), 2), habits.choice([8, 10, 13, 15])
        if day.weekday() in weekdays and dice.random() < 0.85 * factor:
            plans.append((hour * HOUR + dice.randrange(1200), dice.randrange(60, 110) * 60))
        if is_before_deadline(day, habits.randrange(28)) and dice.random() < 0.75 * factor:
            plans.append((19 * HOUR + dice.randrange(2 * HOUR), dice.randrange(90, 270) * 60))
    if dice.random() < person.diligence * factor:
        begin = int(dice.triangular(7 * HOUR, 23 * HOUR, 14 * HOUR))
        plans.append((begin, min(int(dice.lognormvariate(8.4, 0.7)), 6 * HOUR)))
    return [(midnight + begin, length) for begin, length in plans]


def is_holiday(day: date) -> bool:
    """Whether there are no classes: at the turn of the year, between terms, in summer."""
    if day.month in (1, 12):
        return day >= date(day.year, 12, 20) or day < date(day.year, 1, 7)
    return day.month == 8 or (day.month == 3 and day.day > 20) or (day.month == 7 and day.day > 15)


def is_before_deadline(day: date, shift: int) -> bool:
    """Whether a group has a deadline on this day or the next, every four weeks."""
    return (day.toordinal() + shift) % 28 < 2


def _snapshot(person: SyntheticUser, runs: Sequence[SyntheticSession], at: int) -> UserSnapshot:
    begun = bisect_right(runs, at, key=attrgetter("started"))
    if not begun:
        return UserSnapshot(person.name, last_activity=person.joined)
    run = runs[begun - 1]
    if run.stopped <= at:
        return UserSnapshot(person.name, last_activity=run.stopped)
    active = min(run.idle, at)
    server = ServerSnapshot(run.server, run.started, active, profile=run.profile)
    return UserSnapshot(person.name, last_activity=active, servers=(server,))


def _random(*seed: object) -> Random:
    """Seeded by ``repr``, which is the same in every process."""
    return Random(repr(seed))  # noqa: S311
