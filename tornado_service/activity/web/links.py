"""Query parameters of pages, and links to pages with the same period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..access.queries import MAX_DAYS, Range
from ..figures.periods import Unit

#: Ranges that one click shows, by their length in days.
PRESETS = {"7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}

#: Up to so many days are shown day by day, up to so many week by week, and more month by month.
MAX_DAYS_BY_DAY, MAX_DAYS_BY_WEEK = 92, 800


#: The ends of a period, as they are called in an address.
PERIOD = ("from", "to")

#: What people read of a value that is not valid; "" is of a period as a whole.
PROBLEMS = {
    "": f"The start date must not be after the end date (at most {MAX_DAYS:,} days).",
    "q": "The search text is too long. Showing all rows.",
    "sort": "This table cannot be sorted that way. Showing the default order.",
    "page": "This is not a page of the table. Showing the first one.",
    "idle_over": "“Idle longer than” is ignored: use a duration such as 30m, 2h or 1d.",
    "running_over": "“Running longer than” is ignored: use a duration such as 30m, 2h or 1d.",
}


class Preset(NamedTuple):
    """A period that one click selects."""

    label: str
    first: date
    last: date


class PageQuery:
    """Query parameters of a page. Invalid ones are reported in words and ignored."""

    def __init__(self, model: type[Range], arguments: Mapping[str, list[bytes]]) -> None:
        names = {field.alias or name for name, field in model.model_fields.items()}
        #: all of them as text
        self.typed = {
            name: values[-1].decode(errors="replace").strip()
            for name, values in arguments.items()
            if name in names and values[-1].strip()
        }
        self.invalid: set[str] = set()  # names
        problems: list[str] = []
        valid = dict(self.typed)
        self.query: Any = None
        while self.query is None:
            try:
                self.query = model.model_validate(valid)
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    problems.append(_problem(detail, self.typed))
                    self.invalid.update([str(detail["loc"][0])] if detail["loc"] else PERIOD)
                # one end alone is another period
                left_out = self.invalid.union(PERIOD if self.has_invalid_period else ())
                valid = {name: text for name, text in valid.items() if name not in left_out}
        self.problem = " ".join(problems)

    @property
    def has_invalid_period(self) -> bool:
        """Whether the default period is shown instead."""
        return not self.invalid.isdisjoint(PERIOD)

    def field(self, name: str, shown: object) -> dict[str, Any]:
        """Attributes of a form field: the text in the URL if it is invalid, else ``shown``."""
        is_kept = name in self.invalid or (name in PERIOD and self.has_invalid_period)
        text = self.typed.get(name, "") if is_kept else str(shown)
        return {
            "value": text,
            "is_invalid": name in self.invalid,
            # a date field would be empty
            "type": "text" if text and not _is_date(text) else "date",
        }

    @property
    def link_params(self) -> dict[str, str]:
        """Parameters of links to other pages: the period."""
        days = {"from": self.query.first, "to": self.query.last}
        return {name: day.isoformat() for name, day in days.items() if day}

    @property
    def same_page_params(self) -> dict[str, str]:
        """Parameters of links to the same page with another period."""
        names = ("sort", "q", "unit", "idle_over", "running_over")
        return {name: getattr(self.query, name) for name in names if hasattr(self.query, name)}


def _problem(detail: ErrorDetails, typed: Mapping[str, str]) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    if name in PERIOD:
        if _is_date(typed[name]):
            return f"“{name.title()}”: enter a date between 1990 and 2199."
        return f"“{name.title()}” is not a valid date (use YYYY-MM-DD)."
    return PROBLEMS.get(name, "Part of the URL is not valid and was ignored.")


def _is_date(text: str) -> bool:
    """Whether a date field of a browser can hold it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def build_url(prefix: str, path: tuple[str, ...], query: Mapping[str, Any]) -> str:
    """A URL below a prefix; the parts of its path and its query may hold any text."""
    text = urlencode({name: value for name, value in query.items() if value not in ("", None)})
    return prefix + "/".join(quote(part, safe="") for part in path) + (f"?{text}" if text else "")


def presets(today: date) -> list[Preset]:
    return [Preset(label, today - timedelta(days - 1), today) for label, days in PRESETS.items()]


def unit_for(first: date, last: date) -> Unit:
    """The unit in which a period has a readable number of rows."""
    length = (last - first).days + 1
    if length <= MAX_DAYS_BY_DAY:
        return "days"
    return "weeks" if length <= MAX_DAYS_BY_WEEK else "months"
