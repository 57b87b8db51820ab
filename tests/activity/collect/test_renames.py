from __future__ import annotations

from tornado_service.activity.collect.accounts import find_accounts
from tornado_service.activity.domain.records import (
    Account,
    Sample,
    ServerSnapshot,
    Session,
    UserSnapshot,
)


def person(id: int, name: str, created: int | None = None, deleted: int | None = None) -> Account:
    return Account(id, name, first_seen=0, created=created, deleted=deleted)


def seen(name: str, created: int | None = None, started: int | None = None) -> UserSnapshot:
    servers = () if started is None else (ServerSnapshot("", started),)
    return UserSnapshot(name, created, servers=servers)


def renames(
    people: list[Account],
    users: list[UserSnapshot],
    running: list[tuple[int, int]] = [],  # noqa: B006
    full: int | None = 1000,
) -> dict[str, int]:
    sessions = [Session(user, "", started, last_seen=900) for user, started in running]
    accounts = find_accounts(people, sessions, Sample(1000, True, tuple(users)), full)
    return {name: item.id for name, item in accounts.items() if item.name != name}


def test_a_running_server_identifies_the_user() -> None:
    assert renames([person(1, "a")], [seen("b", started=100)], [(1, 100)]) == {"b": 1}


def test_a_server_of_another_start_does_not() -> None:
    assert renames([person(1, "a")], [seen("b", started=101)], [(1, 100)]) == {}


def test_nor_one_that_two_may_have_had() -> None:
    people = [person(1, "a"), person(2, "c")]

    assert renames(people, [seen("b", started=100)], [(1, 100), (2, 100)]) == {}


def test_nor_one_that_two_new_ones_have() -> None:
    users = [seen("b", started=100), seen("c", started=100)]

    assert renames([person(1, "a")], users, [(1, 100)]) == {}


def test_no_user_with_a_pseudonym_is_found_by_a_name() -> None:
    hidden, other = "user-0123456789abcdef", "user-fedcba9876543210"
    people, running = [person(1, hidden, 10)], [(1, 100)]

    assert renames(people, [seen("ada", 10, started=100)], running) == {}
    assert renames(people, [seen(other, 10, started=100)], running) == {other: 1}


def test_an_account_created_at_another_time_is_another_user() -> None:
    assert renames([person(1, "a", 10)], [seen("b", 20, started=100)], [(1, 100)]) == {}


def test_no_user_was_renamed_who_was_created_after_the_account_was_seen() -> None:
    assert renames([person(1, "a")], [seen("b", 100, started=100)], [(1, 100)]) == {}
    assert renames([person(1, "a")], [seen("b", 0, started=100)], [(1, 100)]) == {"b": 1}


def test_the_creation_time_identifies_the_user() -> None:
    assert renames([person(1, "a", 10), person(2, "c", 20)], [seen("b", 10)]) == {"b": 1}


def test_users_created_in_the_same_second_cannot_be_distinguished() -> None:
    people = [person(1, "a", 10), person(2, "c", 10)]

    assert renames(people, [seen("b", 10), seen("d", 10)]) == {}


def test_a_user_created_after_the_last_full_sample_may_just_be_new() -> None:
    assert renames([person(1, "a", 10)], [seen("b", 10)], full=9) == {}
    assert renames([person(1, "a", 10)], [seen("b", 10)], full=None) == {}


def test_a_user_who_is_still_listed_was_not_renamed() -> None:
    assert renames([person(1, "a", 10)], [seen("a", 10), seen("b", 10)]) == {}


def test_a_user_who_was_deleted_before_was_not_renamed() -> None:
    assert renames([person(1, "a", 10, deleted=500)], [seen("b", 10)]) == {}


def test_no_user_becomes_two() -> None:
    people = [person(1, "a", 10)]
    users = [seen("b", started=100), seen("c", 10)]

    assert renames(people, users, [(1, 100)]) == {"b": 1}


def test_two_users_who_were_renamed_at_once_are_both_found() -> None:
    people = [person(1, "a", 10), person(2, "b", 20)]

    assert renames(people, [seen("c", 20), seen("d", 10)]) == {"c": 2, "d": 1}
