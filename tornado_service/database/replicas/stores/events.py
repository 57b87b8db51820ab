"""The events of channels in the shared database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from .shared_database import SharedDatabase
from .tables import MICROSECONDS, channels, events, seconds_ago

#: Seconds for which events are kept.
MAX_AGE = 24 * 3600.0

#: Events that are read at a time.
PAGE = 500

#: The first part of notifications of new events; the channel follows.
KIND = "events"


class Row(NamedTuple):
    """An event in the database.

    Attributes:
        id: grows with each event of its channel.
        data: JSON.
    """

    id: int
    name: str
    data: str


@dataclass
class Rows:
    """A part of a channel.

    Attributes:
        rows: events in their order.
        floor_id: there is no other event between this id and the first row.
        last_id: there is no other event between the last row and this id.
        is_complete: whether no row is missing at the end.
    """

    rows: list[Row]
    floor_id: int
    last_id: int
    is_complete: bool = True


class Outgoing(NamedTuple):
    """An event to be stored.

    Attributes:
        channel: the channel's full name.
        number: unique among the events of this replica, and growing.
        follows_gap: whether events before it were dropped: readers have to reload.
    """

    channel: str
    number: int
    name: str
    data: str
    follows_gap: bool = False


class EventStore:
    """The events of one service.

    All methods raise ``DatabaseUnavailable`` if the database is not available.
    """

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._service = database.service

    def add(self, outgoing: Sequence[Outgoing]) -> None:
        """Store events, and notify all replicas. To repeat it after an error does no harm."""
        # in the order of channels, so that replicas that send to several cannot block each other
        by_channel = sorted(outgoing, key=attrgetter("channel"))
        with self._database.writing() as connection:
            for channel, group in groupby(by_channel, key=attrgetter("channel")):
                self._add_to_channel(connection, channel, list(group))
                self._database.notify(connection, KIND, channel)

    def _add_to_channel(self, connection: Connection, channel: str, added: list[Outgoing]) -> None:
        # the row stays locked until the commit, so that ids are in the order of commits
        statement = insert(channels).values(
            service=self._service,
            channel=channel,
            last_id=MICROSECONDS + len(added),
            floor_id=MICROSECONDS,
        )
        statement = statement.on_conflict_do_update(
            index_elements=[channels.c.service, channels.c.channel],
            set_={"last_id": func.greatest(channels.c.last_id, MICROSECONDS) + len(added)},
        )
        last_id: int = connection.scalars(statement.returning(channels.c.last_id)).one()
        first_id = last_id - len(added) + 1
        rows = [
            {
                "service": self._service,
                "channel": channel,
                "id": first_id + position,
                "name": json.dumps(event.name),  # ASCII, which any database can store
                "data": event.data,
                "sender": self._database.instance,
                "number": event.number,
            }
            for position, event in enumerate(added)
        ]
        connection.execute(insert(events).on_conflict_do_nothing(), rows)
        gaps = [first_id + n - 1 for n, event in enumerate(added) if event.follows_gap]
        if gaps:
            self._raise_floor(connection, channel, max(gaps))

    def load(self, channel: str, history: int, size: int) -> Rows:
        """The last events of a channel, which is created if it does not exist.

        Args:
            channel: the channel's full name.
            history: the number of events, at most.
            size: the number of bytes, about.
        """
        with self._database.writing() as connection:
            connection.execute(
                insert(channels)
                .values(
                    service=self._service,
                    channel=channel,
                    last_id=MICROSECONDS,
                    floor_id=MICROSECONDS,
                )
                .on_conflict_do_nothing()
            )
        with self._database.reading() as connection:
            last_id, floor_id = self._position(connection, channel)
            newest = self._newest(channel, history + 1).subquery()
            statement = (
                select(newest.c.id, newest.c.name, newest.c.data)
                .where(newest.c.size_after <= size)
                .order_by(newest.c.id)
            )
            rows = [_row(*row) for row in connection.execute(statement)]
            before = select(func.max(events.c.id)).where(
                *self._of(channel), events.c.id < (rows[0].id if rows else last_id + 1)
            )
            earlier: int | None = connection.scalar(before)
        if len(rows) > history:
            earlier = rows.pop(0).id
        return Rows(rows, max(floor_id, earlier or 0), last_id)

    def read(self, channel: str, after: int) -> Rows:
        """Events after an id, at most a page."""
        with self._database.reading() as connection:
            last_id, floor_id = self._position(connection, channel)
            statement = (
                select(events.c.id, events.c.name, events.c.data)
                .where(*self._of(channel), events.c.id > max(after, floor_id))
                .order_by(events.c.id)
                .limit(PAGE)
            )
            rows = [_row(*row) for row in connection.execute(statement)]
        if len(rows) == PAGE:
            return Rows(rows, floor_id, rows[-1].id, is_complete=False)
        return Rows(rows, floor_id, last_id)

    def prune(self, channel: str, history: int, size: int) -> None:
        """Delete events beyond a number and a size, in bytes."""
        newest = self._newest(channel, history + 1).subquery()
        position = func.row_number().over(order_by=newest.c.id.desc())
        numbered = select(newest.c.id, newest.c.size_after, position.label("n")).subquery()
        statement = select(func.max(numbered.c.id)).where(
            (numbered.c.n > history) | (numbered.c.size_after > size)
        )
        with self._database.reading() as connection:
            surplus: int | None = connection.scalar(statement)
        if surplus is not None:
            self._delete_until(channel, surplus)

    def prune_old(self, max_age: float = MAX_AGE) -> None:
        """Delete events of all channels, also of those that no app opens any more."""
        statement = (
            select(events.c.channel, func.max(events.c.id))
            .where(events.c.service == self._service, events.c.sent_at < seconds_ago(max_age))
            .group_by(events.c.channel)
        )
        with self._database.reading() as connection:
            old = [(channel, id_) for channel, id_ in connection.execute(statement)]
        for channel, id_ in old:
            self._delete_until(channel, id_)

    def _delete_until(self, channel: str, id_: int) -> None:
        with self._database.writing() as connection:
            self._raise_floor(connection, channel, id_)
            connection.execute(delete(events).where(*self._of(channel), events.c.id <= id_))

    def _raise_floor(self, connection: Connection, channel: str, id_: int) -> None:
        connection.execute(
            update(channels)
            .where(channels.c.service == self._service, channels.c.channel == channel)
            .values(floor_id=func.greatest(channels.c.floor_id, id_))
        )

    def _position(self, connection: Connection, channel: str) -> tuple[int, int]:
        statement = select(channels.c.last_id, channels.c.floor_id).where(
            channels.c.service == self._service, channels.c.channel == channel
        )
        row = connection.execute(statement).one_or_none()
        return (0, 0) if row is None else (row.last_id, row.floor_id)

    def _newest(self, channel: str, number: int) -> Any:
        """The last events, each with the size of it and of all after it."""
        size_after = func.sum(func.length(events.c.data)).over(order_by=events.c.id.desc())
        return (
            select(events.c.id, events.c.name, events.c.data, size_after.label("size_after"))
            .where(*self._of(channel))
            .order_by(events.c.id.desc())
            .limit(number)
        )

    def _of(self, channel: str) -> Iterable[Any]:
        return events.c.service == literal(self._service), events.c.channel == literal(channel)


def _row(id_: int, name: str, data: str) -> Row:
    return Row(id_, json.loads(name), data)
