"""When it is known whether a server was idle, and when it was."""

from __future__ import annotations

import pytest

from tests.support.activity.known import HOUR, History
from tornado_service.activity.collect.changes import StoreDelta
from tornado_service.activity.domain.records import ServerSnapshot, UserSnapshot

START = 100 * HOUR


def add(
    history: History, at: int, active: int | None, *, started: int = 0, profile: str | None = None
) -> StoreDelta:
    """A sample in which Ada's server was last active then; times are after ``START``."""
    last = None if active is None else START + active
    server = ServerSnapshot("", START + started, last, profile=profile)
    return history.add(START + at, UserSnapshot("ada", None, last, (server,)))


def times(history: History, started: int = 0) -> tuple[str | None, str | None]:
    session = history.session(1, START + started)
    return session.observed, session.idle


def test_a_server_is_idle_a_quarter_of_an_hour_after_its_last_activity() -> None:
    history = History()
    for at in range(300, 2101, 300):
        add(history, at, min(at, 500))

    assert times(history) == ("300-2100", "1400-2100")


def test_it_may_be_idle_several_times() -> None:
    history = History()
    for at in range(0, 6001, 300):
        add(history, at, at if at < 900 or at == 3000 else 600 if at < 3000 else 3000)

    assert times(history) == ("0-6000", "1500-2700,3900-6000")


@pytest.mark.parametrize(("later", "observed"), [(750, "300-1050"), (751, None)])
def test_up_to_a_gap_it_is_known(later: int, observed: str | None) -> None:
    history = History()
    add(history, 300, 300)
    add(history, 300 + later, 300)

    assert times(history)[0] == observed


def test_another_run_of_the_server_is_none_of_it() -> None:
    history = History()
    add(history, 300, 0)
    add(history, 600, 500, started=400)
    add(history, 900, 500, started=400)

    assert times(history) == (None, None)
    assert times(history, 400) == ("200-500", None)


def test_a_late_sample_adds_nothing() -> None:
    history = History()
    add(history, 300, 0)
    add(history, 1200, 0)  # after a gap
    before = times(history)
    add(history, 700, 0)

    assert times(history) == before == (None, None)
    add(history, 1500, 0)
    assert times(history) == ("1200-1500", "1200-1500")


def test_a_second_sample_of_the_same_moment_adds_nothing() -> None:
    history = History()
    for _ in range(2):
        add(history, 300, 0)
        add(history, 1300 - 400, 0)

    assert times(history) == ("300-900", None)


def test_before_its_start_it_did_not_run() -> None:
    """The hub sends servers after the time of a sample."""
    history = History()
    add(history, 300, 310, started=310)
    add(history, 600, 310, started=310)

    assert times(history, 310) == ("0-290", None)


def test_one_that_was_not_listed_in_between_ran_through() -> None:
    history = History()
    add(history, 0, 0)
    history.add(START + 300, UserSnapshot("ada", None, START + 280))
    assert history.session(1, START).ended == START + 280

    changes = add(history, 600, 280)

    assert times(history) == ("0-600", None)
    assert changes.since == START  # the roll-up of that time has to be made again


def test_the_first_profile_that_is_shown_is_that_of_the_session() -> None:
    history = History()
    for at, profile in ((0, None), (300, "small"), (600, "gpu"), (900, None)):
        add(history, at, at, profile=profile)

    assert history.session(1, START).profile == "small"
    add(history, 1200, 1200, started=1000, profile="")
    assert history.session(1, START + 1000).profile == ""
