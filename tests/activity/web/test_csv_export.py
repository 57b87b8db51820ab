"""Tables as CSV: no cell is a formula, however a program parses them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tornado_service.activity.web.csv_export import table

#: Characters that begin a formula in spreadsheets; the full-width ones in East Asian versions.
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"

#: Characters that are invisible, or that some programs strip. Two are letters in Unicode.
BLANKS = (
    " \t\r\n\v\f\0\x1f\x7f\x85\xa0\xad\u115f\u180e\u2003\u200b\u2028\u202e\u2060\u2800\u3000"
    "\u3164\ufeff"
)

#: Separators of cells in other locales and programs.
SEPARATORS = ";,\t|\r\n"

TEXTS = st.text(
    st.sampled_from([*SIGNS, *BLANKS, *SEPARATORS, "'", '"', "a", "1", "_", "é", "﹦", "⁼", "⩵"])
    | st.characters(codec="utf-8"),
    max_size=12,
)


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def written(*others: dict[str, Any], **first: Any) -> str:
    """A table of these rows, with the columns of the first."""
    return table(first, [SimpleNamespace(**row) for row in (first, *others)])


def is_formula(cell: str) -> bool:
    """Whether a program that folds characters and strips blanks would compute a cell."""
    visible = "".join(
        character
        for character in unicodedata.normalize("NFKC", cell)
        if character not in BLANKS and unicodedata.category(character)[0] not in "ZC"
    )
    return visible[:1] in tuple(SIGNS)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", *BLANKS, "\r\n", "\xa0\u200b ", '"', "'"])
def test_a_text_that_some_program_computes_has_a_mark(before: str, sign: str) -> None:
    name = f"{before}{sign}HYPERLINK(1)"

    (_, (cell, sessions)) = read(written(name=name, sessions=1))

    assert cell[0] == "'"
    # another mark after a separator of other programs
    assert cell.replace("'", "") == name.replace("'", "").replace("\0", "\ufffd")
    assert sessions == "1"


@pytest.mark.parametrize("name", ["ada", "x-y@example.org", "_=1", "1+1", "(ada)", "x, y -z", ""])
def test_other_texts_are_as_they_are(name: str) -> None:
    assert read(written(name=name, sessions=1))[1] == [name, "1"]


def test_texts_are_quoted_and_numbers_are_not() -> None:
    row = {"name": 'a;b"c"\r\nd', "n": -2, "x": -0.123456, "none": None, "is_new": True}

    assert written(**row, first=date(2026, 1, 5)) == (
        '"name","n","x","none","is_new","first"\r\n"a;b""c""\r\nd",-2,-0.1235,,"yes","2026-01-05"\r\n'
    )


@given(TEXTS, TEXTS)
@example("bea", "x;=1")
@example("bea", 'x;"=1')
@example("bea", "x\t\uff1d1")
@example("bea", "x\n=1")
@example("bea", "x\u2028=1")
@example("\u3164=1", "⩵1")
def test_no_cell_is_a_formula_however_it_is_read(first: str, second: str) -> None:
    text = written(user=first, server=second)

    for delimiter in ",;\t|":
        for row in read(text, delimiter):
            assert not any(map(is_formula, row)), row
    # and by a program without support for quotes
    for cell in re.split("[;,\t|\r\n\v\f\x85\u2028\u2029]", text):
        assert not is_formula(cell.strip('"')), text


@given(TEXTS, TEXTS)
def test_a_table_is_read_as_it_was_written_but_for_the_marks(first: str, second: str) -> None:
    rows = read(written({"user": "last", "server": ""}, user=first, server=second))

    assert len(rows) == 3
    assert rows[2] == ["last", ""]
    for text, cell in zip((first, second), rows[1], strict=True):
        assert cell.replace("'", "") == text.replace("'", "").replace("\0", "\ufffd")
