"""What is kept, read back as values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import date
from itertools import count, groupby
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Select, and_, func, or_, select
from sqlalchemy.exc import DBAPIError

from ..domain.records import Account, DayTotal, Interval, Session, UserDay, Visit
from ..schema import tables
from ..schema.metadata import StoreMetadata

#: Whose values are wanted, by id; ``None``: everybody's.
UserIds: TypeAlias = "Collection[int] | None"

#: Rows that are fetched at a time.
FETCH_SIZE = 10_000


class Reader:
    """Reads, all at the state of one moment. Iterators end with it.

    Raises:
        sqlalchemy.exc.DBAPIError: any method; the database does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = count()

    def people(self) -> list[Account]:
        """Everybody who was ever seen, the deleted ones, too; by id."""
        found = self._connection.execute(select(*ACCOUNT_COLUMNS).order_by(tables.users.c.id))
        return [Account(*row) for row in found]

    def sessions(self, start: int, end: int, users: UserIds = None) -> Iterator[Session]:
        """Those with a part in ``start <= t < end``, or that began in it; by start."""
        table = tables.sessions.c
        has_part = or_(
            table.ended > start,
            and_(table.ended == start, table.started == start),
            and_(table.ended.is_(None), or_(table.last_seen > start, table.started >= start)),
        )
        found = select(*SESSION_COLUMNS).where(table.started < end).order_by(table.started)
        if start > 0:  # for all of them, an index takes eight times as long
            found = found.where(has_part)
        return map(Session._make, self._rows(found, table.user_id, users))

    def visits(self, start: int, end: int, users: UserIds = None) -> Iterator[Visit]:
        """Those in an hour with a part in ``start <= t < end``, in their order."""
        table = tables.visits.c
        hours = table.hour.between(start // 3600, (end - 1) // 3600)
        found = select(table.user_id, table.hour).where(hours).order_by(table.hour)
        return map(Visit._make, self._rows(found, table.user_id, users))

    def coverage(self, start: int, end: int) -> list[Interval]:
        """When the hub was watched: all of the intervals with a part in this one, in order."""
        table = tables.coverage.c
        found = select(table.start, table.end).where(table.start < end, table.end > start)
        rows = self._connection.execute(found.order_by(table.start))
        return [Interval(*row) for row in rows]

    def user_days(self, first: date, last: date, users: UserIds = None) -> Iterator[UserDay]:
        """Roll-ups of the days from one to another, both included, in their order."""
        table = tables.user_days.c
        found = (
            select(table.day, table.user_id, table.seconds, table.sessions)
            .where(table.day.between(first.toordinal(), last.toordinal()))
            .order_by(table.day, table.user_id)
        )
        for ordinal, rows in groupby(self._rows(found, table.user_id, users), itemgetter(0)):
            day = date.fromordinal(ordinal)
            for _, user, seconds, sessions in rows:
                yield UserDay(day, user, seconds, sessions)

    def day_totals(self, first: date, last: date) -> list[DayTotal]:
        """Roll-ups of the whole hub, of the days from one to another, both included."""
        table = tables.day_totals.c
        days = table.day.between(first.toordinal(), last.toordinal())
        found = self._connection.execute(select(tables.day_totals).where(days).order_by(table.day))
        return [
            DayTotal(date.fromordinal(day), *totals, *map(tuple, slots))
            for day, *totals, slots in found
        ]

    def first_observed(self) -> int | None:
        """When watching began."""
        return self._connection.scalar(select(func.min(tables.coverage.c.start)))

    def latest_sample(self) -> int | None:
        """When the newest sample was taken."""
        return self._connection.scalar(select(func.max(tables.coverage.c.end)))

    def meta(self) -> StoreMetadata:
        """What the store notes about itself."""
        return StoreMetadata.load(self._connection)

    def _rows(self, found: Select[Any], column: Column[int], users: UserIds) -> Iterator[Any]:
        """The driver's own tuples: of hundreds of thousands, all else takes twice as long."""
        if users is not None:
            found = found.where(column.in_(sorted(users)))
        # Numbers are written into the statement: as parameters, no database takes so many.
        text = str(found.compile(self._connection, compile_kwargs={"literal_binds": True}))
        try:
            with closing(self._cursor()) as cursor:
                cursor.execute(text)
                while rows := cursor.fetchmany(FETCH_SIZE):  # each within the limit of time
                    yield from rows
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(None, None, error) from error

    def _cursor(self) -> Any:
        """One that does not bring all rows at once."""
        driver = self._connection.connection
        if self._connection.dialect.name == "sqlite":
            return driver.cursor()
        cursor: Any = driver.cursor(f"activity_{next(self._numbers)}")
        cursor.itersize = FETCH_SIZE
        return cursor


ACCOUNT_COLUMNS = (
    tables.users.c.id,
    tables.users.c.name,
    tables.users.c.first_seen,
    tables.users.c.created,
    tables.users.c.last_activity,
    tables.users.c.deleted,
)

SESSION_COLUMNS = (
    tables.sessions.c.user_id,
    tables.sessions.c.server,
    tables.sessions.c.started,
    tables.sessions.c.last_seen,
    tables.sessions.c.last_activity,
    tables.sessions.c.ended,
)
