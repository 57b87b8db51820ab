from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tornado_service.activity.domain.terms import (
    Term,
    academic_year,
    parse_terms,
    parse_year_start,
)

WINTER = {"name": "Winter term 2026", "first": "2026-10-01", "last": "2027-03-31"}
SUMMER = {"name": "Summer term 2026", "first": "2026-04-01", "last": "2026-09-30"}


def test_terms_are_in_order() -> None:
    assert parse_terms([WINTER, SUMMER]) == (
        Term("Summer term 2026", date(2026, 4, 1), date(2026, 9, 30)),
        Term("Winter term 2026", date(2026, 10, 1), date(2027, 3, 31)),
    )
    assert parse_terms([]) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"first": "1.10.2026"}, "'first' of 'Winter term 2026' is '1.10.2026'; write a date"),
        ({"last": "2027-02-30"}, "'last' of 'Winter term 2026' is '2027-02-30'"),
        ({"last": "20270331"}, "write a date as in 2026-10-01"),
        ({"last": "2026-09-30"}, "'Winter term 2026' ends before it begins"),
        ({"name": ""}, "is not a term"),
        ({"end": "2027-03-31"}, "is not a term"),
        ({"first": "2026-09-30"}, "'Winter term 2026' begins before 'Summer term 2026' has ended"),
    ],
)
def test_a_wrong_term_is_named_with_what_to_change(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_terms([SUMMER, WINTER | changes])

    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["9-1", "13-01", "02-29", "September", "", "0901"])
def test_a_day_that_not_each_year_has_begins_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a day of each year"):
        parse_year_start(text)


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        ("2026-09-01", "2026-09-01", "2027-08-31"),
        ("2026-08-31", "2025-09-01", "2026-08-31"),
        ("2026-01-01", "2025-09-01", "2026-08-31"),
    ],
)
def test_the_academic_year_of_a_day(today: str, first: str, last: str) -> None:
    days = academic_year(date.fromisoformat(today), parse_year_start("09-01"))

    assert days == (date.fromisoformat(first), date.fromisoformat(last))
