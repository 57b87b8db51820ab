"""Query parameters of pages, and links to pages with the same period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..access.queries import MAX_DAYS, DateRange

#: The ends of a period, as they are called in an address.
PERIOD = ("from", "to")

#: What people read of a value that is not valid; "" is of a period as a whole.
PROBLEMS = {
    "": f"The start date must not be after the end date (at most {MAX_DAYS:,} days).",
    "q": "The search text is too long. Showing all rows.",
    "sort": "This table cannot be sorted that way. Showing the default order.",
    "unit": "The charts cannot be shown that way. Showing the default.",
    "page": "This is not a page of the table. Showing the first one.",
    "group": "The group filter is not valid and was ignored.",
    "inactive_since": "“Not active since” is not a valid date (use YYYY-MM-DD).",
    "idle_over": "“Idle longer than” is ignored: use a duration such as 30m, 2h or 1d.",
    "running_over": "“Running longer than” is ignored: use a duration such as 30m, 2h or 1d.",
}


class PageQuery:
    """Query parameters of a page. Invalid ones are reported in words and ignored."""

    def __init__(self, model: type[DateRange], arguments: Mapping[str, list[bytes]]) -> None:
        names = {field.alias or name for name, field in model.model_fields.items()}
        #: all of them as text
        self.typed = {
            name: values[-1].decode(errors="replace").strip()
            for name, values in arguments.items()
            if name in names and name != "group" and values[-1].strip()
        }
        groups = [name.decode(errors="replace") for name in arguments.get("group", ()) if name]
        self.invalid: set[str] = set()  # names
        problems: list[str] = []
        valid: dict[str, Any] = dict(self.typed)
        if groups and "group" in names:
            valid["group"] = list(dict.fromkeys(groups))
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

    def ignore_groups(self, unknown: list[str], missing: str) -> None:
        """Leave groups out that the hub does not show; ``missing``: the scope that it takes."""
        self.query.group = [name for name in self.query.group if name not in unknown]
        names = ", ".join(f"“{name}”" for name in unknown)
        reason = f"Group {names} not found, or you do not have access to it."
        if missing:
            reason = f"Groups are not shown to you: the scope {missing} is missing."
        shown = "" if self.query.group else " Showing all users you may see."
        self.problem = f"{self.problem} {reason}{shown}".strip()

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
    def period_params(self) -> dict[str, str]:
        """Parameters of links to other pages: the period."""
        days = {"from": self.query.first, "to": self.query.last}
        return {name: day.isoformat() for name, day in days.items() if day}

    @property
    def same_page_params(self) -> dict[str, str]:
        """Parameters of links to the same page with another period."""
        names = ("sort", "q", "inactive_since", "unit", "idle_over", "running_over")
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
    known = {name: value for name, value in query.items() if value not in ("", None)}
    text = urlencode(known, doseq=True)
    return prefix + "/".join(quote(part, safe="") for part in path) + (f"?{text}" if text else "")
