"""Rolls up the days that are over, and drops old sessions, a few days per transaction."""

from __future__ import annotations

from contextlib import closing
from dataclasses import astuple
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select

from ..domain.calendar import ONE_DAY, date_range, day_bounds, day_total, local_date, user_days
from ..domain.concurrency import Concurrency
from ..domain.idle import observed_times
from ..schema import tables
from ..schema.metadata import StoreMetadata
from ..schema.upsert import insert_new
from .reader import Reader

#: Days that are rolled up or dropped in one transaction.
DAYS_PER_TRANSACTION = 7

_ROLL_UP_TABLES = (tables.user_days, tables.day_totals)


def roll_up(connection: Connection, zone: ZoneInfo) -> bool:
    """Write the roll-ups of some days that are over, or have changed.

    After a change of the time zone these are all days, as far back as there are sessions.
    ``True``: there are more.
    """
    reader = Reader(connection)
    meta = StoreMetadata.load(connection)
    latest = reader.latest_sample()
    if meta.rolled is None or latest is None:
        return False
    if meta.zone != zone.key:
        meta = _reset_for_zone(connection, meta, zone)
    first = meta.first_open_day(zone)
    closed = local_date(latest, zone) - ONE_DAY
    last = min(first + timedelta(DAYS_PER_TRANSACTION - 1), closed)
    if first > last:
        return False
    with closing(reader):
        _write(connection, reader, zone, first, last)
    meta.save(connection, rolled=day_bounds(last, zone).end)
    return last < closed


def drop_old(connection: Connection, retention_days: int) -> bool:
    """Drop some older sessions and visits, if they are rolled up; ``True``: there are more."""
    meta = StoreMetadata.load(connection)
    latest = Reader(connection).latest_sample()
    sessions, visits = tables.sessions, tables.visits
    oldest_hour = connection.scalar(select(func.min(visits.c.hour)))
    oldest = [
        connection.scalar(select(func.min(sessions.c.ended))),
        None if oldest_hour is None else oldest_hour * 3600,
    ]
    begin = min((moment for moment in oldest if moment is not None), default=None)
    if meta.rolled is None or latest is None or begin is None:
        return False
    limit = min(latest - retention_days * 86400, meta.rolled)
    until = min(limit, begin + DAYS_PER_TRANSACTION * 86400)
    if until <= begin:
        return False
    connection.execute(delete(sessions).where(sessions.c.ended < until))
    connection.execute(delete(visits).where(visits.c.hour < until // 3600))
    meta.save(connection, sessions_from=max(until, meta.sessions_from or until))
    return until < limit


def _reset_for_zone(connection: Connection, meta: StoreMetadata, zone: ZoneInfo) -> StoreMetadata:
    """In another time zone: delete the roll-ups that can be made again."""
    rolled = meta.rolled
    if meta.zone:
        first = connection.scalar(select(func.min(tables.day_totals.c.day)))
        if meta.sessions_from is not None:
            rolled = meta.sessions_from
        elif first is not None:
            rolled = day_bounds(date.fromordinal(first), ZoneInfo(meta.zone)).start
    revision = meta.revision + 1
    meta = meta.save(connection, zone=zone.key, rolled=rolled, revision=revision)
    again = meta.first_open_day(zone).toordinal() if meta.sessions_from is not None else 0
    for table in _ROLL_UP_TABLES:
        connection.execute(delete(table).where(table.c.day >= again))
    return meta


def _write(connection: Connection, reader: Reader, zone: ZoneInfo, first: date, last: date) -> None:
    start, end = day_bounds(first, zone).start, day_bounds(last, zone).end
    sessions = list(reader.sessions(start, end, with_idle=True))
    servers = Concurrency(
        [session.started for session in sessions], [session.end for session in sessions]
    )
    coverage = reader.coverage(start, end)
    for table in _ROLL_UP_TABLES:
        days = table.c.day.between(first.toordinal(), last.toordinal())
        connection.execute(delete(table).where(days))
    totals = (day_total(servers, coverage, day, zone) for day in date_range(first, last))
    rows = [
        (day.toordinal(), *sums, [slot_seconds, slot_peaks])
        for day, *sums, slot_seconds, slot_peaks in map(astuple, totals)
    ]
    insert_new(connection, tables.day_totals, rows)
    observed = observed_times(sessions, start)
    by_user = user_days(sessions, reader.visits(start, end), first, last, zone, observed)
    rows_by_user = [
        (day.toordinal(), *sums, *((observed, idle) if observed else (None, None)))
        for day, *sums, observed, idle in by_user
    ]
    insert_new(connection, tables.user_days, rows_by_user)
