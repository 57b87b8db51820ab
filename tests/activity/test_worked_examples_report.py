"""The sentences of the report in ``docs/reference/figures.md``."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date

from tests.support.activity.documentation import PAGE, table
from tests.support.activity.worked_example import MONDAY, SUNDAY, worked_example
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures.reports.report import Report, report
from tornado_service.activity.web.report.sentence import sentence

BY_NAME = Prices("EUR", 0.10, "server", {"gpu": 1.00})


def test_the_sentences_of_the_example() -> None:
    section = PAGE.partition("## Report of a period")[2].partition("\n## ")[0]
    example = replace(worked_example(), prices=BY_NAME)
    tuesday = date(2026, 3, 3)

    assert re.findall("^> (.*)$", section, re.MULTILINE) == [
        sentence(report(example, *days, "days")).replace("\u00a0", " ")
        for days in ((MONDAY, SUNDAY), (tuesday, tuesday))
    ]


def test_every_key_is_defined() -> None:
    defined = {
        name for row in table("key", "definition") for name in re.findall(r"`(\w+)`", row["key"])
    }

    assert defined == {field.name for field in fields(Report)} - {"first", "last"}
