from __future__ import annotations

import pytest

from tornado_service.activity.web.display.sparkline import sparkline


def test_a_line_goes_from_edge_to_edge_and_from_0_to_the_greatest_value() -> None:
    assert sparkline([0, 5, 10]) == ["2.0,22.0 60.0,12.0 118.0,2.0"]


def test_a_gap_is_a_gap() -> None:
    assert sparkline([4, 4, None, 2, 4]) == [
        "2.0,2.0 31.0,2.0",
        "89.0,12.0 118.0,2.0",
    ]
    assert sparkline([None, 4, None, 4]) == ["40.7,2.0 40.8,2.0", "118.0,2.0 118.1,2.0"]


@pytest.mark.parametrize("values", [[], [3], [None, 3, None]])
def test_one_value_is_no_line(values: list[float | None]) -> None:
    assert sparkline(values) == []


def test_nothing_is_a_line_at_the_bottom() -> None:
    assert sparkline([0, 0]) == ["2.0,22.0 118.0,22.0"]
