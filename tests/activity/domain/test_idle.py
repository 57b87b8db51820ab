from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tornado_service.activity.domain.idle import extend, intervals, union
from tornado_service.activity.domain.records import Interval

MOMENTS = st.sets(st.integers(0, 60)).map(lambda moments: sorted(moments))


def text_of(moments: list[int]) -> str | None:
    text = None
    for start, end in zip(moments[::2], moments[1::2], strict=False):
        text = extend(text, start, end)
    return text


def seconds(text: str | None) -> set[int]:
    return {second for start, end in intervals(text, 0) for second in range(start, end)}


def test_intervals_that_meet_are_one() -> None:
    text = extend(extend(extend(None, 0, 300), 300, 600), 900, 1200)

    assert text == "0-600,900-1200"
    assert extend(text, 1200, 1200) == text
    assert extend(None, 7, 7) is None


def test_they_are_counted_from_the_start_of_the_session() -> None:
    assert intervals("0-600,900-1200", 5000) == [Interval(5000, 5600), Interval(5900, 6200)]
    assert intervals("0-600,900-1200", 5000, since=5600) == [Interval(5900, 6200)]
    assert intervals("0-600,900-1200", 5000, since=5599) == intervals("0-600,900-1200", 5000)
    assert intervals(None, 5000) == []


@given(MOMENTS, MOMENTS)
def test_a_union_has_what_one_of_them_has(one: list[int], other: list[int]) -> None:
    both = union(text_of(one), text_of(other))

    assert seconds(both) == seconds(text_of(one)) | seconds(text_of(other))
    assert intervals(both, 0) == sorted(intervals(both, 0))
