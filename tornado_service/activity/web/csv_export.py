"""Figures as CSV, https://www.rfc-editor.org/rfc/rfc4180."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import starmap
from operator import attrgetter
from typing import Any, NamedTuple

from ..domain.calendar import utc_datetime
from ..figures.cohorts import WEEKS
from ..figures.heatmap import heat_map
from ..figures.person import own_use
from ..history.history import History

#: Where a program may find a formula: at the beginning of a text, and after whatever separates
#: cells elsewhere, if the first letter or digit has a sign before it. Signs are those of formulas
#: and what NFKC makes of others. The blanks that Unicode counts as letters are passed over, too.
_FORMULA = re.compile(
    r"(?:(?<![^,;|\t\r\n\v\f\x85\u2028\u2029])(?=(?:\W|[\u115f\u1160\u3164\uffa0])*"
    r"[=+\-@−⁺⁼₊₌⩴⩵⩶﬩﹢﹣﹦﹫＋－＝＠]))"  # noqa: RUF001
    r"|^(?=[\t\r\n\v\f\x85\u2028\u2029])"
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


#: The columns of each table. Each cell is the field of a row of the same name, if it is not
#: in ``COMPUTED``. ``cost`` is there if there are prices.
SERVERS = ("user", "server", "started", "seconds", "idle_seconds", "is_pending")
PERIODS = (
    "first", "last", "watched_share", "active_users", "server_hours", "sessions", "peak_servers",
    "mean_servers", "cost",
)  # fmt: skip
HOURS_OF_WEEK = ("weekday", "hour", "watched_share", "mean_servers", "peak_servers")
PEOPLE = (
    "name", "server_hours", "active_days", "sessions", "arrived", "last_active", "deleted",
    "is_new", "is_returning", "never_returned", "is_away", "cost",
)  # fmt: skip
GROUPS = ("group", "members", "active_users", "server_hours", "sessions", "cost")
COHORTS = (
    "first", "last", "watched_share", "arrived",
    *(f"{name}_week_{week}" for week in WEEKS for name in ("returned", "watched_share")),
)  # fmt: skip
DAYS = ("day", "watched_share", "server_hours", "sessions", "cost")
USUAL_HOURS = ("hour", "mean_servers")
SESSIONS = ("server", "started", "ended", "hours", "profile", "cost")
IDLE = (
    "first", "last", "watched_share", "server_hours", "observed_hours", "idle_hours", "idle_share",
    "cost",
)  # fmt: skip
NAMED_USAGE = ("server_hours", "sessions", "active_users", "cost")
USAGE_BY = {
    kind: ("first", "last", "watched_share", kind, *NAMED_USAGE) for kind in ("profile", "server")
}


def _of_week(index: int, field: str) -> Callable[[Any], Any]:
    return lambda cohort: getattr(cohort.weeks[index], field)


COMPUTED: Mapping[str, Callable[[Any], Any]] = {
    "started": lambda row: utc_datetime(row.started),
    "ended": lambda row: utc_datetime(row.ended),
    "hours": lambda row: to_hours(row.seconds),
    "server_hours": lambda row: to_hours(row.server_seconds),
    "idle_seconds": lambda row: row.idle,
    "watched_share": lambda row: row.share,
    "weekday": lambda row: WEEKDAYS[row.weekday],
    "day": lambda row: row.first,
    "date": lambda row: row.day,
    "group": lambda row: row.name,
    "observed_hours": lambda row: to_hours(row.observed_seconds),
    "idle_hours": lambda row: to_hours(row.idle_seconds),
    **{f"returned_week_{week}": _of_week(at, "returned") for at, week in enumerate(WEEKS)},
    **{f"watched_share_week_{week}": _of_week(at, "share") for at, week in enumerate(WEEKS)},
}


class UsualHour(NamedTuple):
    """One of the 24 hours of the day."""

    hour: int
    mean_servers: float | None


class Sheet(NamedTuple):
    """A table of one user: its columns, the figure that has it, and its rows in that."""

    columns: tuple[str, ...]
    figure: Callable[[History, date, date], Any]
    rows: Callable[[Any], Iterable[Any]]


#: The tables of one user, by what the API calls them.
PERSON_SHEETS = {
    "days": Sheet(DAYS, own_use, lambda use: use.days),
    "hours": Sheet(USUAL_HOURS, own_use, lambda use: starmap(UsualHour, enumerate(use.hours))),
    "sessions": Sheet(SESSIONS, own_use, lambda use: use.sessions),
    "week": Sheet(HOURS_OF_WEEK, heat_map, lambda week: week.hours),
}


def table(columns: Iterable[str], rows: Iterable[Any]) -> str:
    """The fields of rows under these columns: texts in quotes, what is not known is empty.

    A text that a spreadsheet could take for a formula gets an apostrophe:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    columns, rows = list(columns), list(rows)
    fields = [COMPUTED.get(name) or attrgetter(name) for name in columns]
    lines = zip(*(_cells(list(map(field, rows))) for field in fields), strict=True)
    return "\r\n".join([*map(",".join, [_cells(columns), *lines]), ""])


def to_hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 3600, 3)


def _cells(values: Sequence[Any]) -> list[str]:
    """A column; of most of them, all known values are of one type."""
    types = set(map(type, values)) - {type(None)}
    if len(types) == 1:
        cell = _CELLS.get(types.pop(), _text)
        return ["" if value is None else cell(value) for value in values]
    return [_CELLS.get(type(value), _text)(value) for value in values]


def _text(value: Any) -> str:
    # readers of CSV, Python's before 3.11 too, end at a NUL
    text = _FORMULA.sub("'", str(value).replace("\0", "\ufffd"))
    return '"' + text.replace('"', '""') + '"'


_CELLS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    bool: {True: '"yes"', False: '"no"'}.__getitem__,
    int: str,
    float: lambda value: repr(round(value, 4)),
    date: lru_cache(4000)(lambda value: '"' + str(value) + '"'),
    datetime: lambda value: '"' + str(value) + '"',
}
