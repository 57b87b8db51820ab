"""Accounts are those of the hub: a reused name is another account."""

from __future__ import annotations

import pytest

from tests.support.activity.known import HOUR, History, ada
from tornado_service.activity.domain.records import (
    Account,
    Session,
    UserSnapshot,
    Visit,
    accounts_by_name,
)


def accounts(history: History) -> list[tuple[int, str, int, int | None]]:
    people = history.known.people.values()
    return [(account.id, account.name, account.first_seen, account.deleted) for account in people]


def test_an_account_that_is_created_again_under_its_name_is_new() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(HOUR)
    history.add(2 * HOUR, ada())
    history.add(3 * HOUR, ada(2 * HOUR + 60, last=3 * HOUR - 5))

    assert accounts(history) == [(1, "ada", 900, HOUR), (2, "ada", 2 * HOUR, None)]
    assert history.sessions == [
        Session(1, "", 130, last_seen=900, ended=900),
        Session(2, "", 2 * HOUR + 60, last_seen=3 * HOUR),
    ]


def test_the_first_activity_of_the_new_account_is_its_own_visit() -> None:
    history = History()
    history.add(900, ada(last=890))
    history.add(HOUR)
    history.add(2 * HOUR, ada(last=HOUR + 60))

    assert history.visits == {Visit(2, 1)}
    assert history.known.people[1].last_activity == 890


def test_one_created_again_between_two_samples_is_detected_by_its_creation_time() -> None:
    history = History()
    history.add(900, ada(130, created=10, last=890))
    history.add(1200, ada(1000, created=950, last=1100), full=False)

    assert accounts(history) == [(1, "ada", 900, 1200), (2, "ada", 1200, None)]
    assert history.session(1, 130).ended == 900
    assert history.session(2, 1000).ended is None


def test_one_whose_last_activity_is_missing_was_created_again() -> None:
    history = History()
    history.add(900, ada(last=890))
    history.add(HOUR, ada())

    assert accounts(history) == [(1, "ada", 900, HOUR), (2, "ada", HOUR, None)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(ada(created=10), ada(created=10, last=9000), id="created_at_the_same_time"),
        pytest.param(ada(last=890), ada(last=890), id="active_before"),
        pytest.param(ada(130), ada(130, last=9000), id="a_server_that_was_started_before"),
        pytest.param(ada(), ada(created=10), id="created_before"),
    ],
)
def test_one_that_was_missed_once_is_the_same(before: UserSnapshot, after: UserSnapshot) -> None:
    """If a list changes while it is read, the hub may omit a user."""
    history = History()
    history.add(900, before)
    history.add(HOUR)
    history.add(2 * HOUR, after)

    assert accounts(history) == [(1, "ada", 900, None)]


def test_one_that_is_active_again_only_afterwards_is_a_new_one() -> None:
    history = History()
    history.add(900, ada(last=890))
    history.add(HOUR)
    history.add(2 * HOUR, ada(last=HOUR))

    assert [account[0] for account in accounts(history)] == [1, 2]


def test_a_name_that_two_accounts_had_is_the_one_that_exists() -> None:
    people = [
        Account(1, "ada", 10, deleted=20),
        Account(2, "ada", 30),
        Account(3, "ada", 25, deleted=28),
        Account(4, "bob", 10, deleted=20),
        Account(5, "bob", 30, deleted=40),
    ]

    assert {name: item.id for name, item in accounts_by_name(people).items()} == {
        "ada": 2,
        "bob": 5,
    }


def test_a_user_renamed_to_the_name_of_a_deleted_account_keeps_their_own_history() -> None:
    history = History()
    history.add(900, ada(), ada(130, name="bob"))
    history.add(HOUR, ada(130, name="bob"))
    history.add(2 * HOUR, ada(130))

    assert accounts(history) == [(1, "ada", 900, HOUR), (2, "ada", 900, None)]
    assert history.sessions == [Session(2, "", 130, last_seen=2 * HOUR)]


def test_a_user_renamed_while_idle_does_not_get_the_history_of_a_deleted_account() -> None:
    history = History()
    history.add(900, ada(last=890), ada(last=880, name="bob"))
    history.add(HOUR, ada(last=880, name="bob"))
    history.add(2 * HOUR, ada(last=880))

    assert accounts(history) == [
        (1, "ada", 900, HOUR),
        (2, "bob", 900, 2 * HOUR),
        (3, "ada", 2 * HOUR, None),
    ]


def test_a_server_with_a_known_start_proves_nothing_if_another_user_had_the_session() -> None:
    history = History()
    history.add(900, ada(last=890), ada(130, name="bob"), full=True)
    history.add(HOUR, ada(600, name="bob"))
    history.add(2 * HOUR, ada(130), ada(600, name="bob"))

    assert [account[0] for account in accounts(history)] == [1, 2, 3]


def test_users_who_swap_their_names_are_distinguished_by_their_creation() -> None:
    history = History()
    history.add(900, ada(created=10), ada(created=20, name="bob"))
    history.add(HOUR, ada(created=20), ada(created=10, name="bob"))

    assert accounts(history) == [(1, "bob", 900, None), (2, "ada", 900, None)]


def test_a_late_sample_belongs_to_the_account_that_existed_then() -> None:
    history = History()
    history.add(900, ada(last=890))
    history.add(HOUR)
    history.add(2 * HOUR, ada(HOUR + 60, last=2 * HOUR))
    history.add(1200, ada(130, last=1100))

    assert history.session(1, 130) == Session(1, "", 130, last_seen=1200, ended=1200)
    assert accounts(history) == [(1, "ada", 900, HOUR), (2, "ada", 2 * HOUR, None)]
