"""``python -m benchmarks.activity_size``: how large the history of a large hub grows.

Five years of 10,000 users, of whom 2,000 are active on a day, with a session each, in SQLite. The
rows are written as by the service, a day at a time, without sampling. It takes some minutes.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tornado_service.activity.schema import tables
from tornado_service.activity.schema.metadata import StoreMetadata
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.schema.upsert import insert_new, upsert
from tornado_service.activity.store import rollups
from tornado_service.activity.store.reader import Reader
from tornado_service.database.database import Database

DAY = 86400
START = 1_767_225_600  # 1 January 2026
UTC = ZoneInfo("UTC")
RETENTION_DAYS = 400

#: Of the file, in bytes.
LIMIT = 200_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--active", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=5 * 365)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "activity.sqlite")
        database = open_database(f"sqlite:///{path}")
        write_years(database, random.Random(1), options.users, options.active, options.days)
        database.truncate_wal()
        size = path.stat().st_size
        print(f"{size:,} bytes, {size / LIMIT:.0%} of the limit")
        for name, of_table in sizes(database):
            print(f"  {of_table:>12,}  {name}")
        read_year(database, options.days)
        database.close()
    if size > LIMIT:
        raise SystemExit("It is too large.")


def write_years(
    database: Database, dice: random.Random, users: int, active: int, days: int
) -> None:
    people = [
        {"id": id, "name": f"user-{id:05}@example.org", "first_seen": START, "created": START}
        | {"last_activity": START, "deleted": None}
        for id in range(1, users + 1)
    ]
    with database.writing() as connection:
        upsert(connection, tables.users, [person.values() for person in people])
        StoreMetadata.load(connection).save(connection, next_user=users + 1, rolled=START)
    for day in range(days):
        with database.writing() as connection:
            write_day(connection, dice, START + day * DAY, users, active)
            insert_new(connection, tables.coverage, [coverage_of_day(day).values()])
        if day % 31 == 30 or day == days - 1:
            maintain(database)


def write_day(
    connection: Connection, dice: random.Random, midnight: int, users: int, active: int
) -> None:
    """Sessions by their end; a tenth of the active users start no server."""
    chosen = dice.sample(range(1, users + 1), active + active // 10)
    sessions = []
    for user in chosen[:active]:
        started = midnight + int(dice.triangular(0, DAY, 14 * 3600))
        ended = started + int(dice.lognormvariate(8.6, 1.1))
        row = {"user_id": user, "server": dice.choice(["", "", "", "gpu"]), "started": started}
        seen = {"last_seen": ended - 60, "last_activity": ended - 600, "ended": ended}
        sessions.append(row | seen)
    sessions.sort(key=lambda row: row["ended"])
    upsert(connection, tables.sessions, [row.values() for row in sessions])
    visits = [(midnight // 3600 + dice.randrange(24), user) for user in chosen[active:]]
    insert_new(connection, tables.visits, visits)


def coverage_of_day(day: int) -> dict[str, int]:
    """A day with data, except for five minutes."""
    return {"start": START + day * DAY, "end": START + (day + 1) * DAY - 300 * (day % 7 > 0)}


def maintain(database: Database) -> None:
    for step in (
        partial(rollups.roll_up, zone=UTC),
        partial(rollups.drop_old, retention_days=RETENTION_DAYS),
    ):
        more = True
        while more:
            with database.writing() as connection:
                more = step(connection)


def sizes(database: Database) -> list[tuple[Any, ...]]:
    """The size of each table and index, if this SQLite reports it."""
    with database.reading() as connection:
        options = {row[0] for row in connection.exec_driver_sql("PRAGMA compile_options")}
        if "ENABLE_DBSTAT_VTAB" not in options:
            return []
        rows = connection.exec_driver_sql(
            "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8"
        )
        return [tuple(row) for row in rows]


def read_year(database: Database, days: int) -> None:
    last = date.fromtimestamp(START + (days - 1) * DAY)
    first = date.fromordinal(last.toordinal() - 364)
    begun = time.perf_counter()
    with database.reading() as connection:
        counts = Counter(row.user for row in Reader(connection).user_days(first, last))
    seconds = time.perf_counter() - begun
    print(f"{counts.total():,} days of users, those of a year, are read in {seconds:.2f} s")
    begun = time.perf_counter()
    with database.reading() as connection:
        own = len(list(Reader(connection).user_days(first, last, {77})))
    print(f"{own} of one user in {time.perf_counter() - begun:.3f} s")


if __name__ == "__main__":
    main()
