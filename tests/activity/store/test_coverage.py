from tornado_service.activity.domain.records import Interval
from tornado_service.activity.store.coverage import extend


def test_a_sample_alone_has_watched_no_time() -> None:
    assert extend([], 900) == Interval(900, 900)


def test_the_next_one_has_watched_the_time_between() -> None:
    assert extend([Interval(300, 600)], 900) == Interval(300, 900)


def test_one_that_comes_late_closes_a_gap() -> None:
    assert extend([Interval(300, 600), Interval(1200, 1500)], 900) == Interval(300, 1500)


def test_one_within_changes_nothing() -> None:
    assert extend([Interval(300, 1500)], 900) == Interval(300, 1500)
