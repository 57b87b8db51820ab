"""The report's period in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.terms import Term
from ...figures.comparison import ComparedFigure
from ...figures.reports.report import Report
from .. import formatting
from ..display.changes import compared_with


def period_name(report: Report, terms: Sequence[Term] = ()) -> str:
    """A term by its name, a month, or the first and the last day."""
    days = formatting.days(report.first, report.last)
    for term in terms:
        if (term.first, term.last) == (report.first, report.last):
            return f"{term.name} ({days})"
    return days


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
    begin = f"In {name}, so far" if not whole.is_over else f"In {name}"
    at_least = "at least " if whole.at_least else ""
    users = user or f"{at_least}{_count(whole.active_users or 0, 'user')}"
    hours = formatting.number(whole.server_seconds / formatting.HOUR, 1)
    text = f"{begin}, {users} ran servers for {at_least}{hours} hours"
    text += f" in {at_least}{_count(whole.sessions, 'session')}"
    if report.currency and whole.cost is not None:
        text += f", which cost {at_least}{formatting.money(whole.cost, report.currency)}"
    if changes := _changes(report, terms, by_user=bool(user)):
        text += f": {' and '.join(changes)}"
    return f"{text}."


def _changes(report: Report, terms: Sequence[Term], *, by_user: bool) -> list[str]:
    """How the number of users changed, or of one user the hours."""
    what = "hours" if by_user else "users"
    changes: list[str] = []
    for compared, _, when in compared_with(report.comparison, report.first, report.last, terms):
        if compared is None:
            continue
        figure = compared.server_seconds if by_user else compared.active_users
        if change := _change(figure, what, named=not changes):
            changes.append(f"{change} {_than(when)}")
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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
