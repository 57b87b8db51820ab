"""Notes on the time axis: exam weeks, outages, upgrades, as an admin has set them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .terms import parse_day


@dataclass(frozen=True)
class Note:
    """What happened on some days in a row."""

    text: str
    first: date
    last: date


def parse_notes(values: Iterable[Mapping[str, Any]]) -> tuple[Note, ...]:
    """The notes, the earliest first; `ValueError` says what to change."""
    return tuple(sorted(map(_parse_note, values), key=lambda note: (note.first, note.last)))


def _parse_note(value: Mapping[str, Any]) -> Note:
    if not value.get("text") or not {"text", "first"} <= set(value) <= {"text", "first", "last"}:
        raise ValueError(
            f'{value!r} is not a note; write one as in {{"text": "Exams", "first": "2027-02-08", '
            '"last": "2027-02-12"}'
        )
    text = str(value["text"])
    first = parse_day(value["first"], f"'first' of {text!r}")
    last = parse_day(value.get("last", value["first"]), f"'last' of {text!r}")
    if last < first:
        raise ValueError(f"{text!r} ends before it begins")
    return Note(text, first, last)


def notes_in(notes: Iterable[Note], first: date, last: date) -> list[Note]:
    """The notes on one or more days of a period."""
    return [note for note in notes if note.first <= last and first <= note.last]
