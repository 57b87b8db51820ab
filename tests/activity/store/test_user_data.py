from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.activity.conftest import Open
from tornado_service.activity.domain.pseudonyms import pseudonyms
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.schema import tables
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store

START = 1_772_409_600  # Monday, 2 March 2026
HOUR = 3600
DAY = 24 * HOUR
SECRET = b"0123456789abcdef"


async def two_days(store: Store) -> None:
    """Ada and Bob run servers, Ada's is named; she returns in the evening."""
    for taken in range(START, START + 2 * DAY + 1, HOUR):
        active = START + 18 * HOUR + 60 if taken >= START + 18 * HOUR else START - 500
        servers = {"ada": "thesis", "bob": ""} if taken <= START + 9 * HOUR else {}
        users = (
            UserSnapshot(
                name,
                START - 10 * DAY - number,
                active if name == "ada" else START - 500,
                (ServerSnapshot(servers[name], START - 100, taken - 30),) if servers else (),
            )
            for number, name in enumerate(("ada", "bob"))
        )
        await store.add(Sample(taken, True, tuple(users)), HOUR)
    await store.maintain()


async def test_the_export_has_all_stored_data(store: Store) -> None:
    await two_days(store)

    assert await store.export("ada") == {
        "name": "ada",
        "first_seen": "2026-03-02T00:00:00+00:00",
        "created": "2026-02-20T00:00:00+00:00",
        "last_activity": "2026-03-02T18:01:00+00:00",
        "deleted": None,
        "sessions": [
            {
                "server": "thesis",
                "started": "2026-03-01T23:58:20+00:00",
                "last_seen": "2026-03-02T09:00:00+00:00",
                "last_activity": "2026-03-02T08:59:30+00:00",
                "ended": "2026-03-02T09:00:00+00:00",
            }
        ],
        "visits": ["2026-03-02T18:00:00+00:00"],
        "days": [
            {"day": "2026-03-01", "seconds": 100, "sessions": 1},
            {"day": "2026-03-02", "seconds": 9 * HOUR, "sessions": 0},
        ],
    }
    json.dumps(await store.export("ada"))
    assert await store.export("eve") is None


async def test_the_export_leaves_out_no_column(store: Store) -> None:
    """A new column must be exported, or hold no user's data."""
    await two_days(store)
    exported = await store.export("ada")

    assert exported
    assert {"id", *exported} - {"sessions", "visits", "days"} == {*tables.users.c.keys()}
    assert {"user_id", *exported["sessions"][0]} == {*tables.sessions.c.keys()}
    assert {"user_id", *exported["days"][0]} == {*tables.user_days.c.keys()}


async def test_a_forgotten_user_is_in_no_table_and_others_stay(store: Store) -> None:
    await two_days(store)
    bob = await store.export("bob")
    assert await store.forget("ada")

    def counts(reader: Reader) -> list[Any]:
        return [
            reader._connection.scalar(
                select(func.count()).select_from(table).where(table.c.user_id == 1)
            )
            for table in tables.metadata.sorted_tables
            if "user_id" in table.c
        ]

    assert await store.read(counts) == [0, 0, 0]
    assert [account.name for account in await store.read(Reader.people)] == ["bob"]
    assert await store.export("bob") == bob
    assert not await store.forget("ada")


async def account_created_again(store: Store) -> None:
    """Ada's is deleted after two days; another user has the name from the third on."""
    await two_days(store)
    bob = UserSnapshot("bob", START - 10 * DAY - 1, START - 500)
    await store.add(Sample(START + 2 * DAY + HOUR, True, (bob,)), HOUR)
    again = UserSnapshot("ada", START + 3 * DAY - 60)
    await store.add(Sample(START + 3 * DAY, True, (again, bob)), HOUR)


async def test_the_export_has_the_accounts_that_had_the_name_before(store: Store) -> None:
    await two_days(store)
    before = await store.export("ada")
    await account_created_again(store)

    exported = await store.export("ada")

    assert before
    assert exported
    assert exported["first_seen"] == "2026-03-05T00:00:00+00:00"
    assert (exported["sessions"], exported["visits"], exported["days"]) == ([], [], [])
    assert exported["earlier_accounts"] == [{**before, "deleted": "2026-03-04T01:00:00+00:00"}]


async def test_a_user_is_forgotten_with_all_accounts_of_the_name(store: Store) -> None:
    await account_created_again(store)

    assert await store.forget("ada")

    assert [account.name for account in await store.read(Reader.people)] == ["bob"]
    assert await store.export("ada") is None


async def test_pseudonyms_that_come_later_hide_all_accounts_of_a_name(
    open_store: Open, database_url: str
) -> None:
    store = await open_store(database_url)
    await account_created_again(store)
    await store.close()
    store = await open_store(database_url, map_name=pseudonyms(SECRET))

    map_name = store.map_name
    assert [account.name for account in await store.read(Reader.people)] == [
        map_name("ada"),
        map_name("bob"),
        map_name("ada"),
    ]


async def test_a_forgotten_user_is_in_no_byte_of_the_file(
    open_store: Open, sqlite_url: str, tmp_path: Path
) -> None:
    store = await open_store(sqlite_url)
    await two_days(store)
    with sqlite3.connect(tmp_path / "activity.sqlite") as connection:
        connection.executemany(
            "INSERT INTO activity_sessions VALUES (1, 'thesis', ?, 0, NULL, 0)",
            ((number,) for number in range(5000)),  # pages without other data
        )
    connection.close()
    assert await store.forget("ada")

    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"bob" in content
    assert b"ada" not in content
    assert b"thesis" not in content


async def test_a_forgotten_user_is_recorded_again_from_then_on(store: Store) -> None:
    await two_days(store)
    await store.forget("ada")
    users = (UserSnapshot("ada", START - 10 * DAY, START + 18 * HOUR + 60), UserSnapshot("bob"))
    await store.add(Sample(START + 3 * DAY, True, users), HOUR)

    exported = await store.export("ada")
    assert exported
    assert exported["first_seen"] == "2026-03-05T00:00:00+00:00"
    assert (exported["sessions"], exported["days"]) == ([], [])


async def test_with_pseudonyms_no_name_is_in_the_file(
    open_store: Open, sqlite_url: str, tmp_path: Path
) -> None:
    store = await open_store(sqlite_url, map_name=pseudonyms(SECRET))
    await two_days(store)

    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert store.map_name("ada").encode() in content
    assert b"bob" not in content


async def test_pseudonyms_that_come_later_hide_the_names_of_before(
    open_store: Open, sqlite_url: str, tmp_path: Path
) -> None:
    store = await open_store(sqlite_url)
    await two_days(store)
    before = await store.export("ada")
    await store.close()
    store = await open_store(sqlite_url, map_name=pseudonyms(SECRET))

    assert before
    assert await store.export("ada") == {**before, "name": store.map_name("ada")}
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"bob" not in content


async def test_a_user_first_stored_by_name_is_one_user_under_the_pseudonym(
    open_store: Open, database_url: str
) -> None:
    servers = (ServerSnapshot("", START, START + HOUR), ServerSnapshot("gpu", START + 2 * HOUR))
    map_name = pseudonyms(SECRET)
    for hour, kept_as in ((0, map_name), (3, map_name), (4, None), (5, None), (6, map_name)):
        store = await open_store(database_url, map_name=kept_as)
        running = servers if hour > 2 else servers[:1]
        ada = UserSnapshot("ada", None, START + hour * HOUR, running)
        assert await store.add(Sample(START + hour * HOUR, True, (ada,)), HOUR)
        await store.maintain()
        await store.close()

    store = await open_store(database_url, map_name=map_name)
    exported = await store.export("ada")
    assert exported
    assert [account.name for account in await store.read(Reader.people)] == [map_name("ada")]
    assert exported["deleted"] is None
    assert [(session["server"], session["ended"]) for session in exported["sessions"]] == [
        ("", None), ("gpu", None),
    ]  # fmt: skip
    assert exported["first_seen"] == "2026-03-02T00:00:00+00:00"


async def test_a_user_forgotten_during_a_read_can_be_forgotten_again(
    open_store: Open, sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = await open_store(sqlite_url)
    await two_days(store)
    with closing(sqlite3.connect(tmp_path / "activity.sqlite")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM activity_users").fetchone()
        await store.forget("ada")
        assert "Repeat the command" in caplog.text
    assert not await store.forget("ada")

    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"thesis" not in content


async def test_a_renamed_user_is_found_behind_a_pseudonym(
    open_store: Open, sqlite_url: str
) -> None:
    store = await open_store(sqlite_url, map_name=pseudonyms(SECRET))
    await two_days(store)
    users = UserSnapshot("countess", START - 10 * DAY), UserSnapshot("bob", START - 10 * DAY - 1)
    await store.add(Sample(START + 3 * DAY, True, users), HOUR)

    exported = await store.export("countess")
    assert exported
    assert len(exported["sessions"]) == 1
    assert await store.export("ada") is None
