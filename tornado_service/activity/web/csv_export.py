"""Figures as CSV, https://www.rfc-editor.org/rfc/rfc4180."""

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
    head = ("user", "server", "started", "seconds", "idle_seconds", "is_pending")
    rows = (
        (
            server.user,
            server.server,
            utc_datetime(server.started),
            server.seconds,
            server.idle,
            server.is_pending,
        )
        for server in servers
    )
    return to_csv(head, rows)


def periods(figures: Periods) -> str:
    head = (
        "first", "last", "watched_share", "active_users", "server_hours", "sessions",
        "peak_servers", "mean_servers",
    )  # fmt: skip
    rows = (
        (
            period.first, period.last, period.share, period.active_users,
            to_hours(period.server_seconds), period.sessions, period.peak_servers,
            period.mean_servers,
        )
        for period in figures.periods
    )  # fmt: skip
    return to_csv(head, rows)


def hours(heat_map: HeatMap) -> str:
    head = ("weekday", "hour", "watched_share", "mean_servers", "peak_servers")
    rows = (
        (WEEKDAYS[hour.weekday], hour.hour, hour.share, hour.mean_servers, hour.peak_servers)
        for hour in heat_map.hours
    )
    return to_csv(head, rows)


def people(uses: Iterable[PersonUse]) -> str:
    head = (
        "name", "server_hours", "active_days", "sessions", "arrived", "last_active", "deleted",
        "is_new", "is_returning", "never_returned", "is_away",
    )  # fmt: skip
    cells = (
        (
            use.person.name, to_hours(use.server_seconds), use.active_days, use.sessions,
            utc_datetime(use.arrived), use.last_active, utc_datetime(use.person.deleted),
            use.is_new, use.is_returning, use.never_returned, use.is_away,
        )
        for use in uses
    )  # fmt: skip
    return to_csv(head, cells)


def groups(uses: Iterable[GroupUse]) -> str:
    head = ("group", "members", "active_users", "server_hours", "sessions")
    rows = (
        (use.name, use.members, use.active_users, to_hours(use.server_seconds), use.sessions)
        for use in uses
    )
    return to_csv(head, rows)


def days(use: OwnUse) -> str:
    head = ("day", "watched_share", "server_hours", "sessions")
    rows = ((day.first, day.share, to_hours(day.server_seconds), day.sessions) for day in use.days)
    return to_csv(head, rows)


def usual_hours(use: OwnUse) -> str:
    return to_csv(("hour", "mean_servers"), enumerate(use.hours))


def sessions(use: OwnUse) -> str:
    head = ("server", "started", "ended", "hours")
    rows = (
        (
            session.server,
            utc_datetime(session.started),
            utc_datetime(session.ended),
            to_hours(session.seconds),
        )
        for session in use.sessions
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
    """Texts in quotes, numbers without; what is not known is empty."""
    return "".join(",".join(map(cell, row)) + "\r\n" for row in (head, *rows))


def cell(value: Any) -> str:
    """One value; a text that a spreadsheet could take for a formula gets an apostrophe.

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
