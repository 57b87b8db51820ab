"""Units of charts by the length of a period."""

from __future__ import annotations

from datetime import date

import pytest

from tornado_service.activity.web.display.units import chart_unit_for, units_for


@pytest.mark.parametrize(
    ("last", "units", "usual"),
    [
        ("2026-01-01", ["hours", "days"], "hours"),
        ("2026-01-02", ["hours", "days"], "hours"),
        ("2026-01-03", ["days"], "days"),
        ("2026-01-08", ["days", "weeks"], "days"),
        ("2026-02-01", ["days", "weeks", "months"], "days"),
        ("2026-04-02", ["days", "weeks", "months"], "days"),
        ("2026-04-03", ["days", "weeks", "months"], "weeks"),
        ("2027-01-01", ["days", "weeks", "months"], "weeks"),
        ("2027-01-02", ["weeks", "months"], "weeks"),
        ("2029-01-01", ["weeks", "months"], "months"),
    ],
)
def test_units_by_the_length_of_a_period(last: str, units: list[str], usual: str) -> None:
    period = date(2026, 1, 1), date.fromisoformat(last)

    assert units_for(*period) == units
    assert chart_unit_for(*period) == usual
    assert chart_unit_for(*period, units[-1]) == units[-1]
