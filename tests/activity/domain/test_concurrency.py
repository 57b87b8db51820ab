from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tornado_service.activity.domain.concurrency import Concurrency

MOMENTS = st.integers(0, 40)
INTERVALS = st.lists(st.tuples(MOMENTS, MOMENTS).map(sorted), max_size=8)


def level(intervals: list[list[int]], moment: int) -> int:
    return sum(start <= moment < end for start, end in intervals)


@given(INTERVALS, st.tuples(MOMENTS, MOMENTS).map(sorted))
def test_it_counts_as_a_sample_of_each_second_would(
    intervals: list[list[int]], indexes: list[int]
) -> None:
    start, end = indexes
    servers = Concurrency(
        [interval[0] for interval in intervals], [interval[1] for interval in intervals]
    )

    levels = [level(intervals, moment) for moment in range(start, end)]

    [(seconds, peak)] = servers.between((start, end))

    assert seconds == sum(levels)
    assert servers.count_started(start, end) == sum(
        start <= interval[0] < end for interval in intervals
    )
    if levels:
        assert peak == max(levels)


def test_one_that_ends_when_another_begins_is_not_two() -> None:
    assert list(Concurrency([0, 10], [10, 20]).between((0, 20))) == [(20, 1)]


def test_without_sessions_nothing_runs() -> None:
    nothing = Concurrency([], [])

    assert (list(nothing.between((0, 9))), nothing.count_started(0, 9)) == ([(0, 0)], 0)
