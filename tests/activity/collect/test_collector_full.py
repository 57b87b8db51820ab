"""A sample of all users counts once it is stored: a rejected one loses no user.

Each process has the collector, the store and the archive of an app; the hub follows a script.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from tests.support.activity.script import Run, Script, SimulatedUser
from tests.support.activity.simulator import SimulatedHub, hub_calls
from tests.support.databases import POSTGRESQL
from tornado_service.activity import Activity
from tornado_service.activity.domain.records import Sample
from tornado_service.activity.figures.users import PeopleCounts, people_counts
from tornado_service.activity.metrics import known_users
from tornado_service.activity.recorder import Recorder
from tornado_service.activity.store.reader import Reader

HOUR = 3600
NOON = 1_772_409_600 + 12 * HOUR  # Monday, 2 March 2026
TODAY = date(2026, 3, 2)
LOG = logging.getLogger("tests.activity")


@dataclass
class Process:
    """The state of one process."""

    recorder: Recorder
    hub: SimulatedHub

    async def sample(self, at: int) -> Sample:
        self.hub.now = at
        sample_ = await self.recorder.collector.collect(at)
        assert sample_ is not None
        return sample_

    def counts(self) -> PeopleCounts:
        return people_counts(self.recorder.archive.history, TODAY, TODAY)

    async def names(self) -> dict[str, bool]:
        """The stored users, and whether they exist."""
        accounts = await self.recorder.store.read(Reader.people)
        return {account.name: account.deleted is None for account in accounts}

    async def visits(self) -> list[int]:
        visits = await self.recorder.store.read(lambda reader: list(reader.visits(0, 2**42)))
        return [visit.hour * HOUR for visit in visits]


Start = Callable[[str], Awaitable[Process]]


@pytest.fixture
def simulated() -> SimulatedHub:
    """Five users, two of whom run a server."""
    hub = SimulatedHub(Script(NOON - 86400, NOON + 86400, []), NOON)
    hub.script.users = [user(number) for number in range(1, 6)]
    for simulated in hub.script.users[:2]:
        simulated.runs = [Run("", NOON - 600, NOON + 86400, idle=NOON)]
    return hub


def user(number: int, created: int = 0, *logins: int) -> SimulatedUser:
    return SimulatedUser(number, created, [(0, f"user-{number}")], logins=list(logins))


@pytest.fixture
async def start(simulated: SimulatedHub) -> AsyncIterator[Start]:
    """Start a process on a database; it has taken no sample yet."""
    started: list[Process] = []

    async def process(url: str) -> Process:
        app = Activity(database_url=url)
        hub = hub_calls(simulated)
        recorder = Recorder(app.make_store(), app.zone, hub, 300, LOG, is_stored=True)
        started.append(Process(recorder, simulated))
        await recorder.store.open()
        await recorder.refresh()
        return started[-1]

    yield process
    for process in started:
        await process.recorder.close()


@dataclass
class LateDatabase:
    """A database that is unavailable at first."""

    url: str
    appear: Callable[[], None]


@pytest.fixture(params=["sqlite", *POSTGRESQL])
def late_database(request: pytest.FixtureRequest, tmp_path: Path) -> LateDatabase:
    if request.param == "sqlite":
        directory = tmp_path / "volume"
        return LateDatabase(f"sqlite:///{directory}/activity.sqlite", directory.mkdir)
    there = make_url(request.getfixturevalue("new_postgresql")(request.param))
    server = create_engine(there.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        with server.connect() as connection:
            connection.exec_driver_sql(f"{statement} {there.database}")
        server.dispose()

    run("DROP DATABASE")
    url = there.render_as_string(hide_password=False)
    return LateDatabase(url, lambda: run("CREATE DATABASE"))


async def test_a_database_that_is_unavailable_at_the_start_makes_no_user_new(
    start: Start, late_database: LateDatabase
) -> None:
    process = await start(late_database.url)
    for number in range(3):
        assert (await process.sample(NOON + 15 + number * 300)).is_full
    assert process.counts().accounts is None
    late_database.appear()

    assert (await process.sample(NOON + 915)).is_full
    assert not (await process.sample(NOON + 1215)).is_full

    assert process.counts() == PeopleCounts(5, 0, None, None)
    assert known_users(process.recorder) == 5


async def test_users_are_unknown_until_all_of_them_are_stored(
    start: Start, simulated: SimulatedHub, sqlite_url: str
) -> None:
    process = await start(sqlite_url)
    active = await _only_active(process, NOON + 15)
    assert process.counts() == PeopleCounts(None, None, None, None)
    assert known_users(process.recorder) != known_users(process.recorder)  # NaN
    assert len(active.users) == 2

    assert (await process.sample(NOON + 315)).is_full

    assert process.counts() == PeopleCounts(5, 0, None, None)
    simulated.script.users.append(user(6, NOON + 400))
    await process.sample(NOON + HOUR + 15)
    assert process.counts() == PeopleCounts(6, 1, None, None)


async def _only_active(process: Process, at: int) -> Sample:
    """A sample of users with a server, as if all users had been requested already."""
    process.recorder.collector._last_full_hour = at // HOUR
    return await process.sample(at)


async def test_a_full_sample_that_is_lost_is_requested_again_and_loses_no_user(
    start: Start, simulated: SimulatedHub, sqlite_url: str, tmp_path: Path
) -> None:
    process = await start(sqlite_url)
    await process.sample(NOON + 15)
    away = NOON + HOUR
    simulated.script.users[4].deleted = away - 60
    simulated.script.users[3] = user(4, 0, away - 50)
    simulated.script.users.append(user(6, away - 40))
    parked = _remove_database(tmp_path)
    for number in range(3):
        assert (await process.sample(away + 15 + number * 300)).is_full
    _restore_database(tmp_path, parked)

    assert (await process.sample(away + 915)).is_full
    assert not (await process.sample(away + 1215)).is_full

    assert await process.names() == {
        **{f"user-{number}": True for number in (1, 2, 3, 4, 6)},
        "user-5": False,
    }
    assert await process.visits() == [NOON]
    assert process.counts() == PeopleCounts(5, 1, None, None)


def _remove_database(directory: Path) -> Path:
    """Remove the database's files, and put a directory in its place, so that none can be made."""
    parked = directory / "parked"
    parked.mkdir()
    for file in directory.glob("activity.sqlite*"):
        file.rename(parked / file.name)
    (directory / "activity.sqlite").mkdir()
    return parked


def _restore_database(directory: Path, parked: Path) -> None:
    (directory / "activity.sqlite").rmdir()
    for file in parked.iterdir():
        file.rename(directory / file.name)


async def test_a_new_database_in_the_place_of_the_old_gets_all_users_at_once(
    start: Start, sqlite_url: str, tmp_path: Path
) -> None:
    process = await start(sqlite_url)
    await process.sample(NOON + 15)
    for file in tmp_path.glob("activity.sqlite*"):
        file.unlink()
    assert not (await process.sample(NOON + 315)).is_full
    assert process.counts().accounts is None

    assert (await process.sample(NOON + 615)).is_full

    assert process.counts() == PeopleCounts(5, 0, None, None)


async def test_all_users_are_kept_in_an_interval_that_has_only_those_with_a_server(
    start: Start, simulated: SimulatedHub, database_url: str
) -> None:
    """A restart in the interval of a sample with few users."""
    before = await start(database_url)
    await before.sample(NOON + 15)
    await before.sample(NOON + 315)
    simulated.script.users[4].deleted = NOON + 320
    simulated.script.users.append(user(6, NOON + 325))

    after = await start(database_url)
    assert (await after.sample(NOON + 330)).is_full

    assert await after.names() == {
        **{f"user-{number}": True for number in (1, 2, 3, 4, 6)},
        "user-5": False,
    }
    assert not (await after.sample(NOON + 615)).is_full


async def test_all_users_are_requested_again_if_the_interval_has_them_already(
    start: Start, simulated: SimulatedHub, database_url: str
) -> None:
    """A restart in the interval of a sample of all users: they may have changed."""
    before = await start(database_url)
    await before.sample(NOON + 15)
    simulated.script.users.append(user(6, NOON + 20))

    after = await start(database_url)
    assert (await after.sample(NOON + 30)).is_full
    assert "user-6" not in await after.names()
    assert (await after.sample(NOON + 315)).is_full
    assert not (await after.sample(NOON + 615)).is_full

    assert "user-6" in await after.names()
    assert after.counts() == PeopleCounts(6, 1, None, None)


async def test_two_processes_on_one_database_keep_all_users_once_an_hour(
    start: Start, simulated: SimulatedHub, database_url: str
) -> None:
    first, second = await start(database_url), await start(database_url)
    asked = {id(first): 0, id(second): 0}
    for number in range(36):
        at = NOON + 15 + number * 300
        for process in (first, second):
            asked[id(process)] += (await process.sample(at)).is_full

    assert asked == {
        id(first): 3,
        id(second): 6,
    }  # the second process's are rejected once in an hour
    assert second.counts() == PeopleCounts(5, 0, None, None)
    assert await second.visits() == []


async def test_two_processes_at_the_same_moment_lose_nothing(
    start: Start, simulated: SimulatedHub, database_url: str
) -> None:
    processes = [await start(database_url) for _ in range(2)]
    for number in range(13):
        if number == 5:
            simulated.script.users[4].deleted = NOON + 5 * 300
            simulated.script.users[3] = user(4, 0, NOON + 5 * 300 + 7)
        at = NOON + 15 + number * 300
        await asyncio.gather(*(process.sample(at) for process in processes))

    assert (await processes[0].names())["user-5"] is False
    assert await processes[0].visits() == [NOON]


async def test_recording_continues_when_a_sample_is_stored(
    start: Start, simulated: SimulatedHub, sqlite_url: str, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, LOG.name)
    process = await start(sqlite_url)
    await process.sample(NOON + 15)
    simulated.is_down = True
    assert await process.recorder.collector.collect(NOON + 315) is None
    simulated.is_down = False
    parked = _remove_database(tmp_path)
    await process.sample(NOON + HOUR)
    assert "recorded again" not in caplog.text
    _restore_database(tmp_path, parked)

    await process.sample(NOON + HOUR + 315)

    assert "recorded again" in caplog.text
