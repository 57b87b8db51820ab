"""Late and repeated samples: they add facts, and undo nothing."""

from __future__ import annotations

import random
from itertools import pairwise

from tests.support.activity.known import History, ada
from tornado_service.activity.domain.records import Session


def test_samples_of_the_same_second_differ_only_in_their_order() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(900, ada())

    assert history.session(1, 130).ended is None


def test_a_late_sample_ends_and_deletes_nothing() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1500, ada(130))
    before = history.sessions
    changes = history.add(1200)

    assert history.sessions == before
    assert history.person("ada").deleted is None
    assert changes.since is None


def test_a_late_sample_moves_an_end_but_opens_nothing() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1500, ada())
    history.add(1200, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=1200, ended=1200)]


def test_a_late_sample_does_not_shorten_an_end() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(1500, ada(last=1400))
    history.add(1200, ada(130, last=1150))

    assert history.sessions == [Session(1, "", 130, last_seen=1200, ended=1400)]


def test_a_session_that_only_a_late_sample_shows_ended_with_it() -> None:
    history = History()
    history.add(1500, ada())
    history.add(1200, ada(1000))

    assert history.sessions == [Session(1, "", 1000, last_seen=1200, ended=1200)]
    assert history.person("ada").first_seen == 1200


def test_a_session_that_only_a_late_sample_shows_ended_at_the_next_start() -> None:
    history = History()
    history.add(1500, ada(1150))
    history.add(1200, ada(1000))

    assert history.session(1, 1000).ended == 1150
    assert history.session(1, 1150).ended is None


def test_a_late_sample_does_not_restore_a_deleted_user() -> None:
    history = History()
    history.add(900, ada())
    history.add(1500)
    history.add(1200, ada())

    assert history.person("ada").deleted == 1500


def test_the_same_sample_twice_changes_nothing() -> None:
    history = History()
    users = [ada(130, last=800), ada(name="bob", last=700)]
    history.add(900, *users)

    changes = history.add(900, *users)

    assert (changes.people, changes.sessions, changes.visits) == ((), (), frozenset())


def test_runs_of_a_server_never_overlap_and_none_is_longer_than_it_was() -> None:
    """A thousand samples of servers that start and stop at random, a few of them late."""
    dice = random.Random(7)
    starts = sorted(dice.sample(range(100_000), 400))
    runs = [(start, dice.randrange(start, following)) for start, following in pairwise(starts)]
    times = [*range(300, 100_000, 300)]
    for at in range(0, len(times) - 2, 7):
        times[at], times[at + 2] = times[at + 2], times[at]
    history = History()
    for taken in times:
        running = [start for start, stop in runs if start <= taken < stop]
        active = max((min(stop, taken) for start, stop in runs if start <= taken), default=None)
        history.add(taken, ada(*running, last=active))

    stops = dict(runs)
    recorded = [(session.started, session.end) for session in history.sessions]
    assert len(recorded) > 100  # the others fell between two samples
    for (start, end), (following, _) in zip(recorded, [*recorded[1:], (100_000, 0)], strict=True):
        assert start <= end <= following
        assert end <= stops[start] + 900  # the first sample after it
