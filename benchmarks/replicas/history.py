"""What Activity stores in PostgreSQL for hubs of several sizes, and what a sample costs."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select, text

from benchmarks.activity_size import (
    DAY,
    START,
    coverage_of_day,
    maintain,
    write_day,
    write_years,
)
from tests.support import postgresql
from tests.support.prepare import find_postgresql
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.schema import tables
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.schema.upsert import insert_new
from tornado_service.activity.store.writer import add_sample
from tornado_service.database.database import Database

SIZES = (10_000, 100_000, 1_000_000)

#: Of the users, in a day; and at one moment.
ACTIVE, RUNNING = 0.2, 0.05

INTERVAL = 300  # seconds from one sample to the next

#: Sessions to write for a size, so that the days of a small hub are many.
SESSIONS = 400_000

HEAD = (
    "users", "active a day", "running", "rows a day", "MB a day", "MB of 400 days",
    "full sample, s (CPU s)", "sample of running servers, s (CPU s)",
)  # fmt: skip


def measure(sizes: Sequence[int]) -> None:
    """Print one row for each number of users."""
    if sizes:
        print(f"\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for users in sizes:
        with new_database() as database:
            print(f"| {' | '.join(row(database, users))} |", flush=True)


@contextmanager
def new_database() -> Iterator[Database]:
    with postgresql.running(Path(find_postgresql())) as directory:
        database = open_database(
            f"postgresql+psycopg2://tests@/postgres?host={directory}", timeout=600
        )
        yield database
        database.close()


def row(database: Database, users: int) -> list[str]:
    active, running = int(users * ACTIVE), int(users * RUNNING)
    days = max(5, SESSIONS // active)
    write_years(database, random.Random(1), users, active, 1)
    before = size(database)
    write_days(database, users, active, days)
    after = size(database)
    rows, bytes_ = ((new - old) / days for new, old in zip(after, before, strict=True))
    taken = START + (days + 2) * DAY
    full = store(database, sample(taken, users, running, is_full=True))
    part = store(database, sample(taken + INTERVAL, users, running, is_full=False))
    return [
        *(f"{number:,}" for number in (users, active, running)),
        f"{rows:,.0f}",
        f"{bytes_ / 1e6:.1f}",
        f"{(after[1] + 400 * bytes_) / 1e6:,.0f}",
        full,
        part,
    ]


def write_days(database: Database, users: int, active: int, days: int) -> None:
    """More days, rolled up as the service does it."""
    dice = random.Random(2)
    for day in range(1, days + 1):
        with database.writing() as connection:
            write_day(connection, dice, START + day * DAY, users, active)
            insert_new(connection, tables.coverage, [coverage_of_day(day).values()])
    maintain(database)


def size(database: Database) -> tuple[int, int]:
    """The rows and bytes of all tables of Activity, with their indexes."""
    total_size = text("SELECT pg_total_relation_size(cast(:name AS regclass))")
    with database.reading() as connection:
        of_tables = tables.metadata.sorted_tables
        rows = [connection.scalar(select(func.count()).select_from(one)) for one in of_tables]
        sizes = [connection.scalar(total_size, {"name": one.name}) for one in of_tables]
    return sum(rows), sum(sizes)


def sample(taken: int, users: int, running: int, *, is_full: bool) -> Sample:
    """The users of ``write_years``, some of whom have a server."""
    names = [f"user-{number:05}@example.org" for number in range(1, users + 1)]
    server = (ServerSnapshot("", taken - 3600, taken - 60, profile="small"),)
    snapshots = [
        UserSnapshot(name, START, taken - 60, server if number < running else ())
        for number, name in enumerate(names[: users if is_full else running])
    ]
    return Sample(taken, is_full, tuple(snapshots))


def store(database: Database, what: Sample) -> str:
    """Store a sample; wall and CPU time of the replica."""
    began, spent = time.perf_counter(), time.process_time()
    with database.writing() as connection:
        if not add_sample(connection, what, INTERVAL):
            raise RuntimeError("the sample was not stored")
    return f"{time.perf_counter() - began:.2f} ({time.process_time() - spent:.2f})"
