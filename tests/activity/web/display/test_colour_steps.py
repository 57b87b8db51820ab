from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_service.activity.web.display.colour_steps import STEPS, WIDTHS, colour_scale


def test_steps_have_the_same_width_from_0_on() -> None:
    scale = colour_scale([0, None, 25.5, 3])

    assert scale.width == 6
    assert [scale.step(value) for value in (0, 0.01, 6, 6.01, 12, 24, 25.5, 30)] == [
        0, 1, 1, 2, 2, 4, 5, 5,
    ]  # fmt: skip
    assert scale.labels == [
        "over 0 to 6", "over 6 to 12", "over 12 to 18", "over 18 to 24", "over 24 to 30",
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[], [None], [0.0, None, 0]])
def test_without_servers_there_are_no_steps(values: list[float | None]) -> None:
    scale = colour_scale(values)

    assert scale.labels == []
    assert scale.step(0) == 0


@pytest.mark.parametrize(
    ("most", "last"),
    [(0.3, "over 0.24 to 0.3"), (1, "over 0.8 to 1"), (5000, "over 4,000 to 5,000"),
     (0.75, "over 0.6 to 0.75")],
)  # fmt: skip
def test_a_legend_has_round_numbers(most: float, last: str) -> None:
    assert colour_scale([most]).labels[-1] == last


@given(st.lists(st.floats(1e-4, 1e6), min_size=1))
def test_each_value_lies_in_its_step(values: list[float]) -> None:
    scale = colour_scale(values)

    assert len(scale.labels) == scale.steps <= STEPS
    assert scale.steps >= 3, "a step of the next smaller width would not do"
    assert any(abs(scale.width / 10**power - width) < 1e-9 for power in range(-6, 7)
               for width in WIDTHS)  # fmt: skip
    for value in values:
        step = scale.step(value)
        assert 1 <= step <= scale.steps
        assert (step - 1) * scale.width - 1e-6 * value <= value
        assert value <= step * scale.width + 1e-6 * value
