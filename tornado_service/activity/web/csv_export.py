"""Figures as tables of comma-separated values, https://www.rfc-editor.org/rfc/rfc4180."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ..access.responses import Periods, utc_datetime
from ..figures.heatmap import HeatMap
from ..figures.person import OwnUse
from ..figures.servers import Running
from ..figures.users import GroupUse, PersonUse

#: Where a program may find a formula: at the beginning of a text, and after whatever separates
#: cells elsewhere, if the first letter or digit has a sign before it. Signs are those of formulas
#: and what NFKC makes of others. The blanks that Unicode counts as letters are passed over, too.
_FORMULA = re.compile(
    r"(?:(?<![^,;|\t\r\n\v\f\x85\u2028\u2029])(?=(?:\W|[\u115f\u1160\u3164\uffa0])*"
    r"[=+\-@−⁺⁼₊₌⩴⩵⩶﬩﹢﹣﹦﹫＋－＝＠]))"  # noqa: RUF001
    r"|^(?=[\t\r\n\v\f\x85\u2028\u2029])"
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def now(servers: Iterable[Running]) -> str:
    """What runs now."""
    head = ("user", "server", "started", "seconds", "idle_seconds", "is_pending")
    rows = (
        (
            each.user,
            each.server,
            utc_datetime(each.started),
            each.seconds,
            each.idle,
            each.is_pending,
        )
        for each in servers
    )
    return to_csv(head, rows)


def periods(found: Periods) -> str:
    """Days, weeks or months."""
    head = (
        "first", "last", "watched_share", "active_users", "server_hours", "sessions",
        "peak_servers", "mean_servers",
    )  # fmt: skip
    rows = (
        (
            each.first, each.last, each.share, each.active_users, to_hours(each.server_seconds),
            each.sessions, each.peak_servers, each.mean_servers,
        )
        for each in found.periods
    )  # fmt: skip
    return to_csv(head, rows)


def hours(found: HeatMap) -> str:
    """The hours of the week."""
    head = ("weekday", "hour", "watched_share", "mean_servers", "peak_servers")
    rows = (
        (WEEKDAYS[each.weekday], each.hour, each.share, each.mean_servers, each.peak_servers)
        for each in found.hours
    )
    return to_csv(head, rows)


def people(uses: Iterable[PersonUse]) -> str:
    """The people."""
    head = (
        "name", "server_hours", "active_days", "sessions", "arrived", "last_active", "deleted",
        "is_new", "is_returning", "never_returned", "is_away",
    )  # fmt: skip
    cells = (
        (
            each.person.name, to_hours(each.server_seconds), each.active_days, each.sessions,
            utc_datetime(each.arrived), each.last_active, utc_datetime(each.person.deleted),
            each.is_new, each.is_returning, each.never_returned, each.is_away,
        )
        for each in uses
    )  # fmt: skip
    return to_csv(head, cells)


def groups(uses: Iterable[GroupUse]) -> str:
    """The groups."""
    head = ("group", "members", "active_users", "server_hours", "sessions")
    rows = (
        (each.name, each.members, each.active_users, to_hours(each.server_seconds), each.sessions)
        for each in uses
    )
    return to_csv(head, rows)


def days(use: OwnUse) -> str:
    """One person's days."""
    head = ("day", "watched_share", "server_hours", "sessions")
    rows = (
        (each.first, each.share, to_hours(each.server_seconds), each.sessions) for each in use.days
    )
    return to_csv(head, rows)


def usual_hours(use: OwnUse) -> str:
    """One person's hours of the day."""
    return to_csv(("hour", "mean_servers"), enumerate(use.hours))


def sessions(use: OwnUse) -> str:
    """One person's sessions."""
    head = ("server", "started", "ended", "hours")
    rows = (
        (each.server, utc_datetime(each.started), utc_datetime(each.ended), to_hours(each.seconds))
        for each in use.sessions
    )
    return to_csv(head, rows)


#: The tables of one person, by what the API calls them.
PERSON_TABLES: dict[str, Callable[[OwnUse], str]] = {
    "days": days,
    "hours": usual_hours,
    "sessions": sessions,
}


def to_hours(seconds: int | None) -> float | None:
    """Seconds as hours, to the thousandth."""
    return None if seconds is None else round(seconds / 3600, 3)


def to_csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Rows below their head: texts in quotes, numbers without. What is not known is empty."""
    return "".join(",".join(map(cell, row)) + "\r\n" for row in (head, *rows))


def cell(value: Any) -> str:
    """One value as it is written; a text that a spreadsheet would compute gets an apostrophe.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return '"yes"' if value else '"no"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(round(value, 4))
    # readers of CSV, Python's before 3.11 too, end at a NUL
    text = _FORMULA.sub("'", str(value).replace("\0", "\ufffd"))
    return '"' + text.replace('"', '""') + '"'
