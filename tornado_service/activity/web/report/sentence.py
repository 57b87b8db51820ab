"""The report's period in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ...domain.terms import Term
from ...figures.comparison import ComparedFigure
from ...figures.periods import window
from ...figures.reports.report import Report
from .. import formatting
from ..display.changes import compared_with


def term_name(report: Report, terms: Sequence[Term] = ()) -> str:
    """The name of the term that the period is, or nothing."""
    days = _days(report)
    return next((term.name for term in terms if (term.first, term.last) == days), "")


def _days(report: Report) -> tuple[date, date]:
    return report.first, report.last


def period_name(report: Report, terms: Sequence[Term] = ()) -> str:
    """A term by its name and days, a month, or the first and the last day."""
    name, days = term_name(report, terms), formatting.days(report.first, report.last)
    return f"{name} ({days})" if name else days


def sentence(report: Report, terms: Sequence[Term] = (), user: str = "") -> str:
    """What happened in the period, how much more or less than before, and at what cost.

    Args:
        report: the figures.
        terms: for the name of the period.
        user: the only user whom the figures are about; empty: they are about all.
    """
    whole = report.whole
    name = period_name(report, terms)
    if whole.server_seconds is None or whole.sessions is None:
        return f"There is no data for {name}."
    begin = f"{_preposition(report, terms)} {name}"
    if not whole.is_over:
        begin += ", so far"
    if not whole.active_users:
        nobody = f"{user} was not active" if user else "no user was active"
        return f"{begin}, {nobody}{' while data was collected' if whole.at_least else ''}."
    at_least = "at least " if whole.at_least else ""
    count = formatting.counted(whole.active_users, "user")
    was = "was" if whole.active_users == 1 else "were"
    who = f"servers of {user}" if user else f"{at_least}{count} {was} active and servers"
    hours = formatting.number(whole.server_seconds / formatting.HOUR, 1)
    text = f"{begin}, {who} ran for {at_least}{hours} hours"
    text += f" in {at_least}{formatting.counted(whole.sessions, 'session')}"
    if report.currency and whole.cost is not None:
        text += f", at a cost of {at_least}{formatting.money(whole.cost, report.currency)}"
    if changes := _changes(report, terms, by_user=bool(user)):
        text += f": {' and '.join(changes)}"
    return f"{text}."


def _preposition(report: Report, terms: Sequence[Term]) -> str:
    if report.first == report.last:
        return "On"
    is_named = term_name(report, terms) or window("months", report.first) == _days(report)
    return "In" if is_named else "From"


def _changes(report: Report, terms: Sequence[Term], *, by_user: bool) -> list[str]:
    """How the number of users changed, or of one user the hours."""
    what = "hours" if by_user else "users"
    changes: list[str] = []
    for compared, name, when in compared_with(report.comparison, report.first, report.last, terms):
        if compared is None:
            continue
        figure = compared.server_seconds if by_user else compared.active_users
        if change := _change(figure, what, named=not changes):
            same = f"in the same days of {name}" if not report.whole.is_over else ""
            than = same if same and when.startswith("in ") else _than(when)
            changes.append(f"{change} {than}")
    return changes


def _change(figure: ComparedFigure, what: str, *, named: bool) -> str:
    if figure.change is None:
        return ""
    noun = f" {what}" if named else ""
    percentage = round(abs(figure.change) * 100)
    if not percentage:
        return f"as many{noun} as" if not figure.change else f"about as many{noun} as"
    more = "more" if figure.change > 0 else "fewer"
    return f"{percentage:,}{formatting.NBSP}% {more}{noun} than"


def _than(when: str) -> str:
    return when if when.startswith("in ") or when == "a year before" else f"on {when}"
