"""A hub of 10,000 users, 2,000 with a server: its history, and a process that simulates it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import multiprocessing
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, update
from tornado.ioloop import PeriodicCallback

from benchmarks.activity_size import DAY, maintain, write_day
from tornado_service.activity import Activity
from tornado_service.activity.schema import tables
from tornado_service.activity.schema.metadata import StoreMetadata
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.schema.upsert import insert_new, upsert
from tornado_service.testing import StandInHub
from tornado_service.testing.fake_hub_users import Directory, Model

USERS, RUNNING, DAYS = 10_000, 2_000, 395
GROUP = 40

#: Groups in addition to the small ones, by size.
LARGE = {500: "class-500", 5000: "class-5000"}

#: Seconds from the start of the hub to its midnight: a full sweep, and a new day's load.
MIDNIGHT_AFTER = 100

#: Scopes that a token needs to see users and groups.
SCOPES = ("list:users", "list:groups", "read:groups")

CALLERS = {
    "admin": SCOPES,
    "instructor of 40": tuple(f"{scope}!group=group-003" for scope in SCOPES),
    "instructor of 500": tuple(f"{scope}!group=class-500" for scope in SCOPES),
    "instructor of 5,000": tuple(f"{scope}!group=class-5000" for scope in SCOPES),
    "student": (),
}


def user_name(user: int) -> str:
    return f"user-{user:05}@example.org"


@dataclass
class Call:
    """One call of the Hub API: time, client, requested users."""

    at: float
    by_service: bool
    is_full: bool


@dataclass
class BusyDirectory(Directory):
    """The hub's state; servers stop and start continuously. Pages are cheap to produce."""

    calls: list[Call] = field(default_factory=list)
    _shown: dict[tuple[Any, ...], list[Model]] = field(default_factory=dict)
    _dice: random.Random = field(default_factory=lambda: random.Random(7))

    def fill(self, now: float) -> None:
        last_activity = iso_time(int(now) - DAY)
        for user in range(1, USERS + 1):
            groups = [f"group-{(user - 1) // GROUP:03}"]
            groups += [name for size, name in LARGE.items() if user <= size]
            self.add_user(user_name(user), groups=groups, last_activity=last_activity)
        for user in self._dice.sample(range(1, USERS + 1), RUNNING):
            started = iso_time(now - self._dice.expovariate(1 / 7200))
            self.add_server(user_name(user), started=started)

    def advance(self, now: float) -> None:
        """What half a minute changes: nearly all are at work, a few come and go."""
        running = [name for name, user in self.users.items() if user["servers"]]
        for name in running:
            if self._dice.random() < 0.9:
                user = self.users[name]
                user["last_activity"] = user["servers"][""]["last_activity"] = iso_time(now)
        for name in self._dice.sample(running, 8):
            self.users[name]["servers"] = {}
        for name in self._dice.sample(sorted(self.users.keys() - set(running)), 8):
            self.add_server(name, started=iso_time(now))
        self._shown.clear()

    def list_users(
        self, scopes: Iterable[str], state: str | None, *, newest_first: bool = False
    ) -> list[Model]:
        scopes = tuple(scopes)
        by_service = "read:users" in scopes
        self.calls.append(Call(time.monotonic(), by_service, state is None))
        key = (scopes, state, newest_first)
        if key not in self._shown:
            self._shown[key] = super().list_users(scopes, state, newest_first=newest_first)
        return self._shown[key]


def iso_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat().replace("+00:00", "Z")


@dataclass
class BusyHub:
    """The process: its URL, and the tokens.

    Attributes:
        tokens: by user.
    """

    api_url: str
    tokens: dict[str, str]
    _pipe: Pipe

    def calls(self) -> list[Call]:
        """All calls for users up to now."""
        self._pipe.send("calls")
        found: list[Call] = self._pipe.recv()
        return found


@contextlib.contextmanager
def running(clock: float) -> Iterator[BusyHub]:
    """Start it.

    Args:
        clock: what its clock shows at the start.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs, clock))
    child.start()
    theirs.close()
    try:
        api_url, tokens = ours.recv()
        yield BusyHub(api_url, tokens, ours)
    finally:
        child.terminate()
        child.join()


def _serve(pipe: Pipe, clock: float) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_response(pipe, clock))


async def _response(pipe: Pipe, clock: float) -> None:
    ahead = clock - time.time()
    directory = BusyDirectory()
    directory.fill(clock)
    hub = StandInHub(directory=directory, service_scopes=set(Activity.service_scopes))

    def tick() -> None:
        now = datetime.fromtimestamp(time.time() + ahead, timezone.utc)
        hub.date = format_datetime(now, usegmt=True)

    tick()
    PeriodicCallback(tick, 500).start()
    PeriodicCallback(lambda: directory.advance(time.time() + ahead), 30_000).start()
    await hub.start()
    tokens = {
        caller: hub.token_for(user_name(130), scopes, admin=caller == "admin")
        for caller, scopes in CALLERS.items()
    }
    pipe.send((hub.api_url, tokens))
    while True:
        await asyncio.to_thread(pipe.recv)
        pipe.send(directory.calls)


def before_midnight() -> float:
    """A time this long before the hub's next midnight."""
    return math.ceil(time.time() / DAY) * DAY - MIDNIGHT_AFTER


def write_history(path: Path, now: float) -> None:
    """Write 13 months of usage that end at a given time into a database.

    Args:
        path: of the SQLite file.
        now: what the hub's clock shows.
    """
    today = int(now) // DAY * DAY
    start = today - (DAYS - 1) * DAY
    dice = random.Random(1)
    database = open_database(f"sqlite:///{path}")
    sessions = tables.sessions
    with database.writing() as connection:
        upsert(connection, tables.users, [_user_row(dice, user, start, now) for user in _ids()])
        StoreMetadata.load(connection).save(connection, next_user=USERS + 1, rolled=start)
        for midnight in range(start, today + 1, DAY):
            write_day(connection, dice, midnight, USERS, RUNNING)
        until = int(now) - 60
        connection.execute(delete(sessions).where(sessions.c.started >= until))
        connection.execute(delete(tables.visits).where(tables.visits.c.hour >= until // 3600))
        last_seen = func.min(sessions.c.last_seen, until)
        late = update(sessions).where(sessions.c.ended > until)
        connection.execute(late.values(ended=until, last_seen=last_seen))
        hole = start + 30 * DAY
        watched = [(start, hole), (hole + DAY, int(now))]
        insert_new(connection, tables.coverage, watched)
    maintain(database)
    database.close()


def _ids() -> range:
    return range(1, USERS + 1)


def _user_row(dice: random.Random, user: int, start: int, now: float) -> tuple[Any, ...]:
    came = start + (dice.randrange((DAYS - 1) * DAY) if user % 3 == 0 else 0)
    return user, user_name(user), came, came, int(now) - DAY, None
