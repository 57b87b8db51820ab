"""Changes of users, by hand: visits without a server, deletion and new names."""

from __future__ import annotations

from tests.support.activity.known import HOUR, History, ada
from tornado_service.activity.domain.records import Session, Visit


def test_activity_in_the_future_counts_at_the_time_of_the_sample() -> None:
    history = History()
    history.add(300, ada(last=200))
    history.add(3 * HOUR, ada(last=9 * HOUR))
    history.add(4 * HOUR, ada(last=9 * HOUR))

    assert history.visits == {Visit(1, 3)}


def test_the_service_was_down_for_a_day_in_which_a_server_ran_and_ended() -> None:
    """The server is unknown, but the activity is not."""
    history = History()
    history.add(900, ada(last=100))
    changes = history.add(24 * HOUR + 900, ada(last=20 * HOUR + 17))

    assert (history.sessions, history.visits) == ([], {Visit(1, 20)})
    assert changes.since == 20 * HOUR


def test_activity_in_a_session_is_no_visit() -> None:
    history = History()
    history.add(900, ada(130, last=100))
    history.add(1200, ada(130, last=1100))
    history.add(1500, ada(last=1450))
    history.add(1800, ada(last=1450))

    assert history.visits == set()


def test_activity_that_has_not_moved_is_no_visit() -> None:
    history = History()
    history.add(2 * HOUR, ada(last=100))
    history.add(3 * HOUR, ada(last=100))

    assert history.visits == set()


def test_activity_after_a_session_is_a_visit() -> None:
    history = History()
    history.add(900, ada(130, last=100))
    history.add(1200, full=False)
    history.add(HOUR + 900, ada(last=1000))

    assert history.session(1, 130).ended == 900
    assert history.visits == {Visit(1, 0)}


def test_activity_before_the_first_sample_is_no_visit() -> None:
    history = History()
    history.add(24 * HOUR, ada(last=100))
    history.add(25 * HOUR, ada(last=100), ada(last=200, name="bob"))

    assert history.visits == set()


def test_the_activity_of_a_new_user_is_a_visit() -> None:
    history = History()
    history.add(24 * HOUR, ada())
    history.add(25 * HOUR, ada(), ada(last=24 * HOUR + 300, name="bob"))

    assert history.visits == {Visit(2, 24)}


def test_a_user_who_is_missing_among_all_users_was_deleted() -> None:
    history = History()
    history.add(900, ada(130, last=800), ada(name="bob"))
    history.add(1200, ada(name="bob"))

    assert history.person("ada").deleted == 1200
    assert history.session(1, 130).ended == 900
    assert history.person("bob").deleted is None


def test_a_user_who_is_missing_among_active_ones_was_not() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, full=False)

    assert history.person("ada").deleted is None


def test_a_renamed_user_keeps_the_session_that_runs() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada(130, name="countess"))

    assert [account.name for account in history.known.people.values()] == ["countess"]
    assert history.sessions == [Session(1, "", 130, last_seen=1200)]
