"""Results worked out by hand. Times are small numbers; a sample is taken every 300."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.activity.known import HOUR, History, ada, servers
from tornado_service.activity.domain.records import Account, ServerSnapshot, Session, UserSnapshot


def test_a_server_that_runs_is_a_session_from_its_own_start_on() -> None:
    history = History()
    history.add(900, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=900)]
    assert history.person("ada") == Account(1, "ada", first_seen=900)


def test_each_sample_moves_its_end_and_its_activity() -> None:
    history = History()
    history.add(900, UserSnapshot("ada", servers=(ServerSnapshot("", 130, last_activity=700),)))
    history.add(1200, UserSnapshot("ada", servers=(ServerSnapshot("", 130, last_activity=1100),)))
    history.add(1500, UserSnapshot("ada", servers=(ServerSnapshot("", 130, last_activity=1000),)))

    [session] = history.sessions
    assert session._replace(observed=None) == Session(1, "", 130, 1500, last_activity=1100)


@pytest.mark.parametrize(
    ("active", "ended"),
    [
        pytest.param(None, 900, id="when_it_was_seen_last"),
        pytest.param(1010, 1010, id="when_the_user_was_active_last_if_that_is_later"),
        pytest.param(1201, 1200, id="not_after_the_sample_that_lacks_it"),
    ],
)
def test_a_session_that_is_not_listed_any_more_ended(active: int | None, ended: int) -> None:
    history = History()
    history.add(900, ada(130, last=850))
    history.add(1200, ada(last=active))

    assert history.session(1, 130).ended == ended
    assert history.visits == set()


def test_it_ended_when_it_was_last_sampled_if_the_user_was_not_active_since() -> None:
    history = History()
    history.add(900, ada(130, last=400))
    history.add(1200, full=False)

    assert history.session(1, 130).ended == 900


def test_activity_is_ambiguous_while_another_server_of_the_user_runs() -> None:
    history = History()
    history.add(900, servers(a=130, b=140))
    history.add(1200, replace(servers(b=140), last_activity=1100))

    assert history.session(1, 130, "a").ended == 900
    assert history.session(1, 140, "b").ended is None


def test_a_server_restarted_between_two_samples_makes_two_sessions() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(1200, ada(1000, last=1150))

    assert history.sessions == [
        Session(1, "", 130, last_seen=900, ended=900),
        Session(1, "", 1000, last_seen=1200),
    ]


def test_a_session_never_ends_after_the_next_start_of_its_server() -> None:
    """The hub did not list the new one while it was starting."""
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada(last=1190))
    assert history.session(1, 130).ended == 1190

    history.add(1500, ada(1100, last=1450))

    assert history.session(1, 130).ended == 1100
    assert history.session(1, 1100).ended is None


def test_servers_of_other_names_and_users_do_not_end_it() -> None:
    history = History()
    history.add(900, servers(a=130), ada(140, name="bob"))
    history.add(1200, servers(a=130, b=1000), ada(140, name="bob"))

    assert [session.ended for session in history.sessions] == [None, None, None]


def test_a_session_that_is_listed_again_never_ended() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada())
    changes = history.add(1500, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=1500)]
    assert changes.since == 900  # its assumed end


def test_a_start_in_the_future_is_a_session_of_no_length() -> None:
    history = History()
    history.add(900, ada(960))
    assert history.session(1, 960).end == 960

    history.add(950, ada())

    assert history.session(1, 960) == Session(1, "", 960, last_seen=900, ended=960)


def test_a_start_in_the_future_becomes_a_session_when_its_time_has_come() -> None:
    history = History()
    history.add(900, ada(960))
    history.add(1200, ada(960))

    assert history.session(1, 960).end == 1200


def test_the_hub_was_down_for_a_day_and_the_server_ran_on() -> None:
    history = History()
    history.add(900, ada(130))
    changes = history.add(24 * HOUR + 900, ada(130))

    assert history.session(1, 130).end == 24 * HOUR + 900
    assert changes.since == 900


def test_the_hub_was_down_for_a_day_and_the_server_has_stopped() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(24 * HOUR + 900, ada(last=2000))

    assert history.session(1, 130).ended == 900


def test_the_service_was_down_for_a_day_in_which_a_server_was_started() -> None:
    history = History()
    history.add(900, ada(last=100))
    changes = history.add(24 * HOUR + 900, ada(7000, last=24 * HOUR))

    assert history.sessions == [Session(1, "", 7000, last_seen=24 * HOUR + 900)]
    assert (changes.since, history.visits) == (7000, set())
