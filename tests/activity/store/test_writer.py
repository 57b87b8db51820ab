from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tornado_service.activity.domain.records import (
    Account,
    Interval,
    Sample,
    ServerSnapshot,
    Session,
    UserSnapshot,
)
from tornado_service.activity.schema import tables
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.writer import add_sample, join
from tornado_service.database.database import Database

START = 1_772_409_600  # Monday, 2 March 2026
DAY = 86400


def add(database: Database, taken: int, *users: UserSnapshot, full: bool = True) -> bool:
    with database.writing() as connection:
        return add_sample(connection, Sample(taken, full, users), 300)


def read(database: Database, what: Any) -> Any:
    with database.reading() as connection:
        return what(Reader(connection))


def sessions(database: Database) -> list[Session]:
    return read(database, lambda reader: sorted(reader.sessions(0, 2**42)))


def ada(*started: int, name: str = "ada", created: int | None = None) -> UserSnapshot:
    return UserSnapshot(
        name, created, servers=tuple(ServerSnapshot("", start) for start in started)
    )


def test_a_year_of_one_server_worked_by_hand(database: Database) -> None:
    add(database, START, ada(START - 100))
    add(database, START + 300, ada(START - 100))
    add(database, START + 600, ada(START + 500))  # restarted
    add(database, START + 900, full=False)
    add(database, START + 1200, ada(START + 500))  # it ran all the time
    add(database, START + 1500, ada())

    assert sessions(database) == [
        Session(1, "", START - 100, last_seen=START + 300, ended=START + 300),
        Session(1, "", START + 500, last_seen=START + 1200, ended=START + 1200),
    ]
    assert read(database, Reader.people) == [Account(1, "ada", first_seen=START)]


def test_the_second_writer_in_an_interval_does_nothing(database: Database) -> None:
    assert add(database, START, ada(START - 100))
    assert not add(database, START + 299, ada(), ada(name="bob"))
    assert add(database, START + 300, ada(START - 100))

    assert [session.ended for session in sessions(database)] == [None]
    assert len(read(database, Reader.people)) == 1


def test_all_users_are_kept_in_an_interval_that_has_some_once(database: Database) -> None:
    assert add(database, START, ada(START - 100), ada(name="bob"))
    assert add(database, START + 300, ada(START - 100), full=False)

    assert not add(database, START + 301, ada(START - 100), full=False)
    assert add(database, START + 302, ada(START - 100), ada(name="eve"))
    assert not add(database, START + 303, ada(START - 100))

    people = read(database, Reader.people)
    assert [(account.name, account.deleted) for account in people] == [
        ("ada", None),
        ("bob", START + 302),
        ("eve", None),
    ]


def test_the_first_and_the_last_sample_of_all_users_are_noted(database: Database) -> None:
    noted = []
    for number, is_full in enumerate((False, True, False, True)):
        add(database, START + number * 300, ada(START - 100), full=is_full)
        meta = read(database, Reader.meta)
        noted.append((meta.first_full, meta.last_full))

    once = (START + 300, START + 300)
    assert noted == [(None, None), once, once, (START + 300, START + 900)]


def test_ids_are_not_given_twice(database: Database) -> None:
    add(database, START, ada(), ada(name="bob"))
    with database.writing() as connection:
        connection.execute(tables.users.delete().where(tables.users.c.id == 2))
    add(database, START + 300, ada(), ada(name="eve"))

    assert [account.id for account in read(database, Reader.people)] == [1, 3]


def test_a_renamed_user_keeps_the_id_through_a_swap_of_names_too(database: Database) -> None:
    add(database, START, ada(created=10), ada(name="bob", created=20))
    add(database, START + 300, ada(name="countess", created=10), ada(name="bob", created=20))
    add(database, START + 600, ada(name="bob", created=10), ada(name="countess", created=20))

    people = read(database, Reader.people)
    assert [(account.id, account.name) for account in people] == [(1, "bob"), (2, "countess")]


def test_a_renamed_user_can_have_the_name_of_a_deleted_one(database: Database) -> None:
    add(database, START, ada(created=10), ada(name="bob", created=20))
    add(database, START + 300, ada(name="bob", created=20))
    add(database, START + 600, ada(name="ada", created=20))

    people = read(database, Reader.people)
    assert [(account.id, account.name, account.deleted) for account in people] == [
        (1, "ada", START + 300),
        (2, "ada", None),
    ]


def test_an_account_created_again_under_its_name_has_an_id_of_its_own(database: Database) -> None:
    add(database, START, ada(START - 100))
    add(database, START + 300)
    add(database, START + 600, ada(START + 500))

    assert read(database, Reader.people) == [
        Account(1, "ada", first_seen=START, deleted=START + 300),
        Account(2, "ada", first_seen=START + 600),
    ]
    assert [session.user for session in sessions(database)] == [1, 2]


def test_ended_sessions_that_matter_are_found_however_old(database: Database) -> None:
    """A hub that omits a server for a month and then lists it again."""
    add(database, START, ada(START - 100))
    add(database, START + 300, ada())
    add(database, START + 30 * DAY, ada(START - 100))

    assert sessions(database) == [Session(1, "", START - 100, last_seen=START + 30 * DAY)]


def test_slots_are_kept_for_two_days(database: Database) -> None:
    for day in range(5):
        add(database, START + day * DAY, ada())

    with database.reading() as connection:
        taken = connection.scalars(select(tables.samples.c.taken)).all()
    assert sorted(taken) == [START + day * DAY for day in (2, 3, 4)]


def test_roll_ups_are_right_up_to_the_first_moment_that_has_changed(database: Database) -> None:
    def rolled() -> int:
        return read(database, lambda reader: reader.meta().rolled)

    add(database, START, ada(START - 100))
    assert rolled() == START - 100
    with database.writing() as connection:
        connection.execute(
            tables.meta.update().where(tables.meta.c.key == "rolled").values(value=START + DAY)
        )

    add(database, START + DAY, ada(START - 100))
    assert rolled() == START  # its previous end

    with database.writing() as connection:
        connection.execute(
            tables.meta.update().where(tables.meta.c.key == "rolled").values(value=START + DAY)
        )
    add(database, START + DAY + 300, ada(START - 100))
    assert rolled() == START + DAY


def test_a_server_that_runs_since_1970_does_not_make_a_roll_up_of_each_day(
    database: Database,
) -> None:
    add(database, START, ada(0))

    assert sessions(database)[0].started == 0
    assert read(database, lambda reader: reader.meta().rolled) == START - 400 * DAY


@pytest.mark.parametrize(
    ("near", "joined"),
    [
        ([], (900, 900)),
        ([(300, 600)], (300, 900)),
        ([(300, 600), (1200, 1500)], (300, 1500)),
        ([(300, 1500)], (300, 1500)),
    ],
    ids=["alone", "next", "late", "within"],
)
def test_a_sample_extends_the_coverage(
    near: list[tuple[int, int]], joined: tuple[int, int]
) -> None:
    assert join([Interval(*stretch) for stretch in near], 900) == Interval(*joined)
