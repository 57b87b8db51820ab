"""The examples of the definitions in how-figures-are-made.md: facts and outcomes are read there."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from tests.activity.conftest import Open
from tests.support.activity import small_hub
from tests.support.activity.archives import keep
from tests.support.activity.documentation import WEEKDAYS, table
from tests.support.activity.known import REACH, History
from tests.support.activity.small_hub import at
from tornado_service.activity.domain.records import (
    Account,
    Interval,
    Sample,
    ServerSnapshot,
    UserSnapshot,
)
from tornado_service.activity.figures.durations import lengths
from tornado_service.activity.figures.periods import period
from tornado_service.activity.figures.users import people_counts
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.store import Store
from tornado_service.activity.store.writer import add_sample, join, max_gap

UTC = ZoneInfo("UTC")
DAY = 86400
MONDAY = date(2026, 3, 2)


def clock(text: str) -> int:
    return at(f"{MONDAY} {text}")


def hours(visits: set) -> str:
    return ", ".join(f"{(hour * 3600 - clock('00:00')) // 3600:02}" for _, hour in sorted(visits))


def seen(name: str = "ada", **told: int | None) -> UserSnapshot:
    started = told.get("server")
    servers = () if started is None else (ServerSnapshot("", started),)
    return UserSnapshot(name, told.get("created"), told.get("last"), servers)


@pytest.mark.parametrize("row", table("samples at", "stretches"), ids=str)
def test_samples_make_stretches(row: dict[str, str]) -> None:
    stretches: list[Interval] = []
    for text in row["samples at"].split(", "):
        taken = clock(text)
        near = [stretch for stretch in stretches if stretch.end >= taken - max_gap(300)]
        stretches = [*(stretch for stretch in stretches if stretch not in near), join(near, taken)]

    assert [(stretch.start, stretch.end) for stretch in stretches] == [
        tuple(clock(moment) for moment in stretch.split(" to "))
        for stretch in row["stretches"].split(", ")
    ]


def test_what_has_no_data_is_not_at_least_anything() -> None:
    data = small_hub.history("UTC", [(clock("09:00"), clock("09:17:30"))])

    day, tomorrow = (period(data, day, day) for day in (MONDAY, date(2026, 3, 3)))
    assert (day.at_least, day.server_seconds) == (True, 0)
    assert (tomorrow.at_least, tomorrow.server_seconds) == (False, None)


ENDS = table(
    "T", "is", "shows ada's last activity", "and a server since", "end of the session", "visit"
)


@pytest.mark.parametrize("row", ENDS, ids=str)
def test_a_session_ends(row: dict[str, str]) -> None:
    history = History()
    started, last = clock("09:00"), clock("09:30")
    other = row["and a server since"]
    gpu = (ServerSnapshot("gpu", clock(other)),) if other else ()
    ran = (ServerSnapshot("", started), *gpu)
    history.add(last, UserSnapshot("ada", None, clock("09:29"), ran))
    activity = row["shows ada's last activity"]
    is_full = row["is"] == "full"
    users = [UserSnapshot("ada", None, clock(activity), gpu)] if is_full else []
    history.add(clock(row["T"]), *users, full=is_full)

    assert history.session(1, started).ended == clock(row["end of the session"])
    assert hours(history.visits) == row["visit"]


def test_what_lengthens_no_session_is_a_visit_in_the_next_sample_of_all_users() -> None:
    history = History()
    history.add(clock("09:30"), seen(server=clock("09:00"), last=clock("09:29")))
    history.add(clock("09:35"), full=False)
    history.add(clock("10:00"), seen(last=clock("09:33")))

    assert hours(history.visits) == "09"


VISITS = table("shown before", "sample", "shows last activity", "sessions", "visit")


@pytest.mark.parametrize("row", VISITS, ids=str)
def test_a_visit_is(row: dict[str, str]) -> None:
    history = History()
    before = None if row["shown before"] == "none" else clock(row["shown before"])
    started, _, ended = row["sessions"].partition(" to ")
    if not started:
        history.add(clock("09:00"), seen(last=before))
    else:  # it is listed up to the sample before it ended
        history.add(clock("09:00"), seen(last=before, server=clock(started)))
        history.add(clock(ended), seen(last=before, server=clock(started)))
    history.add(clock(row["sample"]), seen(last=clock(row["shows last activity"])))

    assert hours(history.visits) == row["visit"]


@dataclass
class HubUser:
    """A user of the hub, from a cell such as ``created 06:00, server since 07:00``."""

    text: str
    values: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        words = {"created": "created", "server since": "server", "last active": "last"}
        self.values = {
            name: clock(part.removeprefix(word).strip())
            for part in self.text.split(", ")
            for word, name in words.items()
            if part.startswith(word)
        }

    def user(self, name: str = "ada") -> UserSnapshot:
        return seen(name, **self.values)


@pytest.mark.parametrize("row", table("ada", "a full sample at 10:00", "afterwards", "is"), ids=str)
def test_an_account_is(row: dict[str, str]) -> None:
    history = History()
    history.add(clock("08:30"), HubUser(row["ada"]).user())
    if row["a full sample at 10:00"]:
        history.add(clock("10:00"))
    history.add(clock("11:00"), HubUser(row["afterwards"]).user())

    is_same = len(history.known.people) == 1
    assert row["is"] == ("the same account" if is_same else "a new account")


@pytest.mark.parametrize("row", table("before", "now", "is"), ids=str)
def test_a_rename_is(row: dict[str, str]) -> None:
    history = History()
    for number, side in enumerate(("before", "now")):
        name, _, shown_by = row[side].partition(", ")
        history.add(clock("09:30") + number * 300, HubUser(shown_by).user(name))

    is_same = len(history.known.people) == 1
    assert row["is"] == ("ada, renamed" if is_same else "a new account")


async def test_an_account_that_is_created_again_is_not_there_in_between(
    sqlite_url: str,
) -> None:
    database = open_database(sqlite_url)
    start = at(f"{MONDAY} 00:00")
    with database.writing() as connection:
        for hour in range(4 * 24):
            is_there = hour < 24 + 10 or hour >= 3 * 24 + 10
            users = (UserSnapshot("ada"),) if is_there else ()
            add_sample(connection, Sample(start + hour * 3600, True, users), 3600)
    database.close()
    store = Store(sqlite_url, logging.getLogger(__name__))
    await store.open()
    archive = Archive(store, UTC)
    await archive.refresh()

    for row in table("day", "accounts on it", "new on it"):
        day = date.fromordinal(MONDAY.toordinal() + WEEKDAYS.index(row["day"]))
        counts = people_counts(archive.history, day, day)
        assert (str(counts.accounts), str(counts.new)) == (row["accounts on it"], row["new on it"])
    archive.close()
    await store.close()


async def test_the_edge_of_retention(open_store: Open, sqlite_url: str) -> None:
    store = await open_store(sqlite_url, zone=UTC, retention_days=35)
    end = at("2026-05-01 12:00")
    for taken in range(end - 45 * DAY, end + 1, DAY // 4):
        ada = UserSnapshot("ada", servers=(ServerSnapshot("", taken - 60),))
        await keep(store, Sample(taken, True, (ada,)), DAY // 4)
    archive = Archive(store, UTC)
    await archive.refresh()

    for row in table("day", "server-hours", "lengths of sessions"):
        day = date.fromisoformat(row["day"])
        hours = period(archive.history, day, day).server_seconds
        figures = lengths(archive.history, day, day)
        assert row["server-hours"] == ("known" if hours else "unknown")
        assert row["lengths of sessions"] == ("known" if figures else "unknown")
    archive.close()


def test_the_interval_of_the_examples_is_that_of_the_settings() -> None:
    assert max_gap(300) == REACH


@pytest.mark.parametrize("row", table("kept of ada", "the hub shows ada to be", "ada's own usage"))
def test_a_users_own_usage_is_that_of_their_account(row: dict[str, str]) -> None:
    known_by, moment = row["kept of ada"].split(",")[0].rsplit(" ", 1)
    created = clock(moment) if known_by == "created" else None
    person = Account(1, "ada", clock("07:00"), created)
    shown = clock(row["the hub shows ada to be"].removeprefix("created "))

    assert person.matches_creation(shown) is (row["ada's own usage"] == "the account's")
