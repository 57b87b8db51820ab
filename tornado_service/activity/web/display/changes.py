"""Changes of the headline figures, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from ...domain.terms import Term
from ...figures.availability import COMPARABLE
from ...figures.comparison import (
    ComparedCost,
    ComparedFigure,
    Comparison,
    PeriodComparison,
    previous_days,
)
from ...figures.periods import window
from ..formatting import NBSP, change, percent


class Against(NamedTuple):
    """Earlier days with which a period is compared, and what they are called."""

    compared: PeriodComparison | None
    name: str  # "the previous month"
    when: str  # "in the previous month"


def compared_with(
    comparison: Comparison, first: date, last: date, terms: Sequence[Term]
) -> list[Against]:
    days = previous_days(first, last, terms)
    if (first, last) == window("months", first):
        name = "the previous month"
    elif any(days == (term.first, term.last) for term in terms):
        name = "the previous term"
    else:
        name = "the day before" if first == last else "the previous period"
    return [
        Against(comparison.previous, name, name if name == "the day before" else f"in {name}"),
        Against(comparison.year_before, "a year before", "a year before"),
    ]


def change_notes(
    compared_with: Iterable[Against], figure: str, as_text: Callable[[Any], str | None]
) -> list[str]:
    """How a figure changed; nothing of days that cannot be compared: see `comparability`."""
    notes = (
        _change_note(getattr(compared, figure), when, as_text)
        for compared, _, when in compared_with
        if compared and compared.is_comparable
    )
    return [note for note in notes if note]


def _change_note(
    figure: ComparedFigure | ComparedCost, when: str, as_text: Callable[[Any], str | None]
) -> str:
    if figure.value is None or figure.earlier is None:
        return ""
    before = as_text(figure.earlier)
    if figure.change is None:
        return f"{before} {when}"
    if round(figure.change * 100):
        return f"{change(figure.change)} on {before} {when}"
    extent = f"Less than 1{NBSP}% change" if figure.change else "No change"
    return f"{extent} from {before} {when}"


def comparability(compared: PeriodComparison) -> str:
    """Why no change is shown, or nothing."""
    if not compared.earlier_share:
        return "no data"
    if compared.earlier_share < COMPARABLE:
        return f"no comparison: data for {percent(compared.earlier_share)} of it"
    if not compared.is_comparable:
        return f"no comparison: data for {percent(compared.share)} of this period"
    return ""
