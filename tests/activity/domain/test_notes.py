from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tornado_service.activity.domain.notes import Note, notes_in, parse_notes

EXAMS = {"text": "Exams", "first": "2027-02-08", "last": "2027-02-12"}
UPGRADE = {"text": "Upgrade to JupyterHub 6", "first": "2027-01-15"}
NOTES = parse_notes([EXAMS, UPGRADE])


def test_notes_are_in_order_and_on_one_day_or_more() -> None:
    day = date(2027, 1, 15)

    assert list(NOTES) == [
        Note("Upgrade to JupyterHub 6", day, day),
        Note("Exams", date(2027, 2, 8), date(2027, 2, 12)),
    ]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"text": "Exams"}, "is not a note; write one as in"),
        ({"text": "", "first": "2027-02-08"}, "is not a note"),
        (EXAMS | {"group": "class-a"}, "is not a note"),
        (EXAMS | {"last": "12 February"}, "'last' of 'Exams' is '12 February'; write a date"),
        (EXAMS | {"last": "2027-02-07"}, "'Exams' ends before it begins"),
    ],
)
def test_a_wrong_note_is_named_with_what_to_change(note: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_notes([note])

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        ("2027-02-12", "2027-02-28", ["Exams"]),
        ("2027-02-13", "2027-02-28", []),
        ("2027-01-01", "2027-02-08", ["Upgrade to JupyterHub 6", "Exams"]),
        ("2027-01-16", "2027-02-07", []),
    ],
)
def test_the_notes_of_a_period(first: str, last: str, texts: list[str]) -> None:
    found = notes_in(NOTES, date.fromisoformat(first), date.fromisoformat(last))

    assert [note.text for note in found] == texts
