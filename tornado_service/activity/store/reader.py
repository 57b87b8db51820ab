"""Reads records from the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from itertools import chain, count, groupby
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Select, func, null, or_, select
from sqlalchemy.exc import DBAPIError

from ..domain.records import Account, DayTotal, Interval, Sample, Session, UserDay, Visit
from ..schema import tables
from ..schema.metadata import StoreMetadata
from . import live_sample

#: Whose values are wanted, by id; ``None``: everybody's.
UserIds: TypeAlias = "Collection[int] | None"

#: `Session` as the history in memory has it: without the texts at its end.
_SESSION = (
    *(column for column in tables.sessions.c if column.name not in ("observed", "idle")),
    null(),
    null(),
)

#: Rows that are fetched at a time.
FETCH_SIZE = 2_000


class Reader:
    """Reads the state of one moment. `DBAPIError`: no response.

    Iterators that are not read to their end are closed by `close`, within the transaction: if they
    were left to the garbage collection, the connection might have another transaction by then.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursors = ExitStack()
        self._numbers = count()

    def close(self) -> None:
        with self._driver_errors():
            self._cursors.close()

    def people(self) -> list[Account]:
        """All accounts, also the deleted ones; by id."""
        rows = self._connection.execute(select(tables.users).order_by(tables.users.c.id))
        return [Account(*row) for row in rows.all()]

    def sessions(
        self, start: int, end: int, users: UserIds = None, *, with_idle: bool = False
    ) -> Iterator[Session]:
        """Sessions with a part in ``start <= t < end``, or that began in it; by start.

        After a moment, those that run come last. ``with_idle``: with all fields; else without the
        texts at their end.
        """
        table, column = tables.sessions, tables.sessions.c
        columns = column if with_idle else _SESSION
        begun = select(*columns).where(column.started < end).order_by(column.started)
        if start <= 0:
            return map(Session._make, self._rows(begun, column.user_id, users))
        has_part = or_(column.last_seen > start, column.started >= start)
        running = begun.where(column.ended.is_(None), has_part)
        # the index also has the keys, so that only the rows that are wanted are read
        index = table.alias().c
        found = [key == index[key.name] for key in table.primary_key]
        has_part = or_(index.ended > start, index.started == start)
        over = begun.where(*found, index.started < end, index.ended >= start, has_part)
        rows = (self._rows(statement, column.user_id, users) for statement in (over, running))
        return map(Session._make, chain.from_iterable(rows))

    def visits(self, start: int, end: int, users: UserIds = None) -> Iterator[Visit]:
        """Visits in an hour with a part in ``start <= t < end``, in order."""
        table = tables.visits.c
        hours = table.hour.between(start // 3600, (end - 1) // 3600)
        statement = select(table.user_id, table.hour).where(hours).order_by(table.hour)
        return map(Visit._make, self._rows(statement, table.user_id, users))

    def coverage(self, start: int, end: int) -> list[Interval]:
        """The intervals with a part in this one, in order."""
        table = tables.coverage.c
        statement = select(table.start, table.end).where(table.start < end, table.end > start)
        rows = self._connection.execute(statement.order_by(table.start))
        return [Interval(*row) for row in rows]

    def user_days(self, first: date, last: date, users: UserIds = None) -> Iterator[UserDay]:
        """Roll-ups of users from day to day, both included, in order."""
        table = tables.user_days.c
        statement = (
            select(tables.user_days)
            .where(table.day.between(first.toordinal(), last.toordinal()))
            .order_by(table.day, table.user_id)
        )
        for ordinal, rows in groupby(self._rows(statement, table.user_id, users), itemgetter(0)):
            day = date.fromordinal(ordinal)
            for _, user, seconds, sessions, observed, idle in rows:
                yield UserDay(day, user, seconds, sessions, observed or 0, idle or 0)

    def day_totals(self, first: date, last: date) -> list[DayTotal]:
        """Roll-ups of the whole hub from day to day, both included, in order."""
        table = tables.day_totals.c
        days = table.day.between(first.toordinal(), last.toordinal())
        rows = self._connection.execute(select(tables.day_totals).where(days).order_by(table.day))
        return [
            DayTotal(date.fromordinal(day), *totals, *map(tuple, slots))
            for day, *totals, slots in rows
        ]

    def first_observed(self) -> int | None:
        """When data collection began."""
        return self._connection.scalar(select(func.min(tables.coverage.c.start)))

    def latest_sample(self) -> int | None:
        return self._connection.scalar(select(func.max(tables.coverage.c.end)))

    def live(self) -> Sample | None:
        """The latest sample of the replica that collects."""
        return live_sample.load(self._connection)

    def meta(self) -> StoreMetadata:
        return StoreMetadata.load(self._connection)

    def _rows(self, statement: Select[Any], column: Column[int], users: UserIds) -> Iterator[Any]:
        """The driver's own tuples: for hundreds of thousands, SQLAlchemy's take twice as long."""
        if users is not None:
            statement = statement.where(column.in_(sorted(users)))
        # Numbers are written into the statement: as parameters, no database takes so many.
        text = str(statement.compile(self._connection, compile_kwargs={"literal_binds": True}))
        with self._driver_errors(), closing(self._cursor()) as cursor:
            self._cursors.callback(cursor.close)
            cursor.execute(text)
            while rows := cursor.fetchmany(FETCH_SIZE):  # each within the limit of time
                yield from rows

    @contextmanager
    def _driver_errors(self) -> Iterator[None]:
        try:
            yield
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(None, None, error) from error

    def _cursor(self) -> Any:
        """A cursor that does not fetch all rows at once."""
        driver = self._connection.connection
        if self._connection.dialect.name == "sqlite":
            return driver.cursor()
        cursor: Any = driver.cursor(f"activity_{next(self._numbers)}")
        cursor.itersize = FETCH_SIZE
        return cursor
