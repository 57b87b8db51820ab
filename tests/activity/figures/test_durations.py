from __future__ import annotations

from dataclasses import replace
from datetime import date
from statistics import mean, median

from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity.small_hub import at, history, running, session
from tornado_service.activity.figures.durations import Lengths, lengths

DAY = date(2026, 3, 2)
START = at("2026-03-02 00:00")
END = START + 86400


def test_an_even_number_has_its_median_in_the_middle() -> None:
    sessions = [session(user, START + 10, START + 10 + user) for user in (1, 2, 5, 100)]

    assert lengths(history("UTC", [(START, END)], sessions), DAY, DAY) == Lengths(
        finished=4, running=0, mean=27.0, median=3.5, longest=100, longest_running=None
    )


def test_it_is_the_beginning_that_counts() -> None:
    sessions = [session(1, START - 5, START + 900), session(1, END - 5, END + 900, "gpu")]
    data = history("UTC", [(START, END + 900)], sessions)

    figures = lengths(data, DAY, DAY)

    assert figures is not None
    assert (figures.finished, figures.longest) == (1, 905)


def test_those_that_run_are_counted_apart() -> None:
    sessions = [running(1, START, END), running(2, START + 60, END), session(3, START, START + 7)]

    assert lengths(history("UTC", [(START, END)], sessions), DAY, DAY) == Lengths(
        finished=1, running=2, mean=7.0, median=7.0, longest=7, longest_running=86400
    )


def test_without_sessions_there_are_none_to_measure() -> None:
    assert lengths(history("UTC", [(START, END)]), DAY, DAY) == Lengths(
        0, 0, None, None, None, None
    )


def test_a_time_without_data_is_unknown() -> None:
    assert lengths(history("UTC", [(START, END)]), date(2026, 2, 1), date(2026, 3, 1)) is None


def test_sessions_that_are_no_longer_stored_are_unknown() -> None:
    data = history("UTC", [(START, END + 86400)], [session(1, START, END)])

    assert lengths(replace(data, sessions_from=START + 1), DAY, DAY) is None
    assert lengths(replace(data, sessions_from=START), DAY, DAY) is not None


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_average_and_median_are_those_of_the_textbook(seconds: list[int]) -> None:
    sessions = [session(user, START, START + pair) for user, pair in enumerate(seconds)]

    figures = lengths(history("UTC", [(START, END)], sessions), DAY, DAY)

    assert figures is not None
    assert (figures.mean, figures.median) == (mean(seconds), median(seconds))
