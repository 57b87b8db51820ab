"""Across a gap in collection only the samples are known: sessions are lower bounds.

In a stretch at most one event happens between two samples, so that its activity is unambiguous;
in a gap, anything in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.known import HOUR, REACH, History, ada
from tornado_service.activity.domain.records import ServerSnapshot, Session, UserSnapshot, Visit

NAMES = ("ada", "bob")


@dataclass
class Truth:
    """The state of a user: running servers by name, stopped ones, and the last activity."""

    running: dict[str, int] = field(default_factory=dict)
    ran: list[tuple[str, int, int]] = field(default_factory=list)
    last: int | None = None

    def act(self, at: int, server: str | None) -> None:
        """Start a server, stop it if it runs, or visit the hub; each updates the last activity."""
        self.last = at
        if server in self.running:
            self.ran.append((server, self.running.pop(server), at))
        elif server is not None:
            self.running[server] = at

    def seen(self, name: str) -> UserSnapshot:
        servers = (ServerSnapshot(server, at, self.last) for server, at in self.running.items())
        return UserSnapshot(name, None, self.last, tuple(servers))

    def time(self, now: int) -> int:
        still = (now - at for at in self.running.values())
        return sum(stopped - started for _, started, stopped in self.ran) + sum(still)


@dataclass(frozen=True)
class Step:
    """From one sample to the next. ``acts``: user, share of the step that has passed, server."""

    seconds: int
    acts: Sequence[tuple[int, float, str | None]]
    is_full: bool = True


def acts(servers: Sequence[str], most: int) -> st.SearchStrategy[list]:
    one = st.tuples(
        st.integers(0, len(NAMES) - 1),
        st.floats(0.01, 0.99),
        st.sampled_from([*servers, None]),
    )
    return st.lists(one, max_size=most)


def stretches(servers: Sequence[str], full: st.SearchStrategy[bool]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.sampled_from([300, 301, 600, REACH]), acts(servers, 1), full)


GAPS = st.builds(Step, st.integers(REACH + 1, 9 * HOUR), acts(["", "gpu"], 8), st.booleans())


def play(steps: Sequence[Step], late: frozenset[int] = frozenset()) -> tuple[History, list[Truth]]:
    """The history of the samples, of which some arrive after the next one."""
    truths = [Truth() for _ in NAMES]
    now = 900
    samples = [(now, [pair.seen(name) for pair, name in zip(truths, NAMES, strict=True)], True)]
    for step in steps:
        at = now
        for user, part, server in sorted(step.acts, key=lambda act: act[1]):
            # two starts within one second are one session at this resolution
            at = max(at + 1, now + int(part * step.seconds))
            truths[user].act(at, server)
        now += step.seconds
        seen = [pair.seen(name) for pair, name in zip(truths, NAMES, strict=True)]
        listed = [user for user in seen if step.is_full or user.servers]
        samples.append((now, listed, step.is_full))
    for at in late:
        if 0 < at < len(samples) - 1:
            samples[at], samples[at + 1] = samples[at + 1], samples[at]
    history = History()
    for taken, users, is_full in samples:
        history.add(taken, *users, full=is_full)
    return history, truths


def times(history: History) -> list[int]:
    ids = {person.name: person.id for person in history.known.people.values()}
    return [
        sum(
            session.end - session.started
            for session in history.sessions
            if session.user == ids[name]
        )
        for name in NAMES
    ]


@given(
    st.lists(st.one_of(stretches(["", "gpu"], st.booleans()), GAPS), max_size=25),
    st.frozensets(st.integers(1, 24), max_size=3),
)
def test_no_user_has_more_time_than_their_servers_ran(
    steps: list[Step], late: frozenset[int]
) -> None:
    history, truths = play(steps, late)
    now = 900 + sum(step.seconds for step in steps)

    for recorded, truth in zip(times(history), truths, strict=True):
        assert recorded <= truth.time(now)


@given(st.lists(st.one_of(stretches(["", "gpu"], st.booleans()), GAPS), max_size=25))
def test_no_session_ends_after_its_server_stopped(steps: list[Step]) -> None:
    history, truths = play(steps)

    stopped = {
        (user, server, started): stopped
        for user, truth in enumerate(truths, 1)
        for server, started, stopped in truth.ran
    }
    for session in history.sessions:
        assert session.end <= stopped.get(session[:3], session.last_seen)


@given(st.lists(stretches([""], st.just(True)), max_size=25))
def test_where_no_sample_is_missing_the_time_is_that_of_the_servers(steps: list[Step]) -> None:
    history, truths = play(steps)
    now = 900 + sum(step.seconds for step in steps)

    assert times(history) == [truth.time(now) for truth in truths]


@pytest.mark.parametrize(
    ("after", "ended"),
    [
        pytest.param(REACH, 900 + 200, id="up_to_two_and_a_half_intervals_are_no_gap"),
        pytest.param(REACH + 1, 900, id="a_second_more_is_one"),
    ],
)
def test_activity_lengthens_a_session_up_to_the_next_sample_of_the_stretch(
    after: int, ended: int
) -> None:
    history = History()
    history.add(900, ada(130, last=850))
    history.add(900 + after, ada(last=900 + 200))

    assert history.session(1, 130).ended == ended


def test_activity_in_a_gap_is_a_visit_and_no_part_of_the_session_before() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(24 * HOUR + 900, ada(last=7 * HOUR + 60))

    assert history.session(1, 130).ended == 900
    assert history.visits == {Visit(1, 7)}


def test_a_late_sample_shortens_what_was_taken_to_have_run_until_after_it() -> None:
    """The activity detected first was that of a visit."""
    history = History()
    history.add(900, ada(130, last=890))
    history.add(1500, ada(last=1400))
    assert history.session(1, 130).ended == 1400

    history.add(1200, ada(last=1000))

    assert history.sessions == [Session(1, "", 130, last_seen=900, ended=1000)]
