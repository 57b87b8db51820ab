"""What the address of a page asks for, and addresses of others that ask for the same days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .questions import Range

#: Ranges that one click shows, by their length in days.
PRESETS = {"7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}

#: Up to so many days are shown day by day, up to so many week by week, and more month by month.
DAY_BY_DAY, WEEK_BY_WEEK = 92, 800


class Preset(NamedTuple):
    """A range that one click shows."""

    words: str
    first: date
    last: date


class Asked:
    """What the address of a page asks for: what is wrong there is told, and not obeyed.

    Attributes:
        query: what is asked for; the default if something is wrong.
        problem: what is wrong, in words.
    """

    def __init__(self, model: type[Range], arguments: Mapping[str, list[bytes]]) -> None:
        known = {field.alias or name for name, field in model.model_fields.items()}
        given = {
            name: values[-1].decode(errors="replace").strip()
            for name, values in arguments.items()
            if name in known and values[-1].strip()
        }
        self.problem = ""
        try:
            self.query: Any = model.model_validate(given)
        except ValidationError as error:
            self.query = model.model_validate({})
            self.problem = " ".join(map(_problem, error.errors(include_url=False)))

    def days(self, today: date) -> tuple[date, date]:
        """The first and the last day that are shown."""
        return self.query.days(today)

    @property
    def kept(self) -> dict[str, str]:
        """What links to other pages keep of it."""
        days = {"from": self.query.first, "to": self.query.last}
        return {name: day.isoformat() for name, day in days.items() if day}


def _problem(detail: ErrorDetails) -> str:
    field = str(detail["loc"][0]) if detail["loc"] else ""
    if field in ("from", "to"):
        return f"“{field.title()}” is no day that can be shown: write one as in 2026-01-31."
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"]) + "."
    return f"“{field}”: {detail['msg']}."


def address(prefix: str, path: tuple[str, ...], query: Mapping[str, Any]) -> str:
    """An address below a prefix; the parts of its path and its query may hold anything."""
    text = urlencode({name: value for name, value in query.items() if value not in ("", None)})
    return prefix + "/".join(quote(part, safe="") for part in path) + (f"?{text}" if text else "")


def presets(today: date) -> list[Preset]:
    """The ranges that one click shows."""
    return [Preset(words, today - timedelta(days - 1), today) for words, days in PRESETS.items()]


def unit_for(first: date, last: date) -> str:
    """Days, weeks or months, so that a range has not too many of them to be looked at."""
    length = (last - first).days + 1
    if length <= DAY_BY_DAY:
        return "days"
    return "weeks" if length <= WEEK_BY_WEEK else "months"
