from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import running, session
from tornado_service.activity.domain.records import Session
from tornado_service.activity.history.cache import DerivedCache
from tornado_service.activity.history.sessions import PackedSessions


@st.composite
def some_sessions(draw: st.DrawFn) -> list[Session]:
    """Of three users with two servers each, different in user, server or start."""
    runs = draw(
        st.sets(st.tuples(st.integers(1, 3), st.sampled_from(["", "gpu"]), st.integers(0, 9)))
    )
    sessions = []
    for user, server, started in runs:
        end = started + draw(st.integers(0, 9))
        make = draw(st.sampled_from([session, running]))
        sessions.append(make(user, started, end, server))
    return sessions


@given(some_sessions())
def test_what_is_packed_comes_out_again(sessions: list[Session]) -> None:
    assert sorted(PackedSessions.pack(sessions)) == sorted(sessions)
    assert len(PackedSessions.pack(sessions)) == len(sessions)


@given(some_sessions(), some_sessions())
def test_changed_ones_replace_those_of_the_same_run(
    before: list[Session], changed: list[Session]
) -> None:
    expected = {session[:3]: session for session in (*before, *changed)}

    packed = PackedSessions.pack(before).updated(changed)

    assert sorted(packed) == sorted(expected.values())
    assert all(list(week.started) == sorted(week.started) for week in packed.weeks.values())


@given(some_sessions(), st.integers(0, 20), st.integers(0, 20))
def test_a_part_of_them_is_what_a_filter_would_give(
    sessions: list[Session], start: int, end: int
) -> None:
    packed = PackedSessions.pack(sessions)

    of_two = packed.restricted(frozenset({1, 3}), DerivedCache())
    assert sorted(of_two) == sorted(session for session in sessions if session.user != 2)
    assert sorted(packed.started_between(start, end)) == sorted(
        session for session in sessions if start <= session.started < end
    )
    assert {session for session in sessions if session.started < end and session.end > start} <= {
        *packed.overlapping(start, end)
    }


def test_changes_leave_the_original_as_it_was() -> None:
    before = PackedSessions.pack([running(1, 0, 5)])

    after = before.updated([session(1, 0, 7), running(2, 3, 8)])

    assert [*before] == [running(1, 0, 5)]
    assert [*after] == [session(1, 0, 7), running(2, 3, 8)]


def test_one_that_was_taken_for_ended_runs_again() -> None:
    assert [*PackedSessions.pack([session(1, 0, 5)]).updated([running(1, 0, 9)])] == [
        running(1, 0, 9)
    ]
