from __future__ import annotations

import pytest

from tornado_service.activity.web.report.bars import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, bar_chart

AXIS = HEIGHT - BOTTOM
FULL = HEIGHT - BOTTOM - TOP


def test_bars_are_as_tall_as_their_values() -> None:
    chart = bar_chart(["Jan", "Feb"], [50, 100])

    assert [bar.height for bar in chart.bars] == [FULL / 2, FULL]
    assert {bar.y + bar.height for bar in chart.bars} == {AXIS}
    assert [line.text for line in chart.lines] == ["0", "50", "100"]
    assert [label.text for label in chart.labels] == ["Jan", "Feb"]
    assert chart.gaps == []


def test_bars_of_the_year_before_are_left_of_their_months() -> None:
    chart = bar_chart(["Jan", "Feb"], [2, 1], [1, 2])

    assert [bar.is_earlier for bar in chart.bars] == [True, False, True, False]
    for earlier, later in (chart.bars[:2], chart.bars[2:]):
        assert earlier.x + earlier.width == pytest.approx(later.x, abs=0.2)
    assert all(bar.x >= LEFT and bar.x + bar.width <= WIDTH for bar in chart.bars)


def test_what_is_not_known_is_a_gap_and_zero_is_a_bar_without_height() -> None:
    chart = bar_chart(["a", "b", "c"], [None, 0, 3], [1, None, 1])

    assert [(bar.height > 0, bar.is_earlier) for bar in chart.bars] == [
        (True, True), (False, False), (True, True), (True, False),
    ]  # fmt: skip
    assert [gap.y for gap in chart.gaps] == [AXIS, AXIS]
    assert chart.gaps[0].x < chart.gaps[1].x


@pytest.mark.parametrize("values", [[], [None], [0], [None, 0]])
def test_without_a_value_above_zero_the_axis_has_whole_numbers(values: list[float | None]) -> None:
    chart = bar_chart(["x"] * len(values), values)

    assert [line.text for line in chart.lines] == ["0", "1", "2"]
    assert len(chart.bars) + len(chart.gaps) == len(values)


@pytest.mark.parametrize(
    ("most", "end"),
    [
        (0.3, "2"), (1, "2"), (2, "2"), (3, "4"), (7, "8"), (10, "10"), (11, "12"), (15, "16"),
        (143, "160"), (1000, "1,000"), (1001, "1,200"), (5626.4, "6,000"), (10**6 + 1, "1,200,000"),
    ],
)  # fmt: skip
def test_the_axis_ends_a_little_above_the_largest_value(most: float, end: str) -> None:
    lines = bar_chart(["x"], [most]).lines

    assert lines[2].text == end
    assert "." not in lines[1].text


def test_seconds_are_shown_as_hours() -> None:
    chart = bar_chart(["x"], [7200], unit=3600)

    assert (chart.lines[2].text, chart.bars[0].height) == ("2", FULL)


def test_labels_end_with_the_drawing() -> None:
    chart = bar_chart(["", *[""] * 50, "28 September"], [1] * 52)

    [label] = chart.labels
    assert label.x < WIDTH - 40
