"""Steps of colour for figures, each with its place in the legend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

#: Steps of a scale, apart from the step 0 for nothing at all.
STEPS = 5

#: Widths of a step, times a power of ten.
WIDTHS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class ColourScale:
    """Steps of equal width, from more than 0 up to the greatest value.

    Attributes:
        width: of a step; 0 if no value is greater than 0.
        steps: how many of the steps have a value or lie below one.
    """

    width: float
    steps: int

    def step(self, value: float) -> int:
        """1 to `STEPS`, or 0 for nothing at all."""
        if not value or not self.width:
            return 0
        # a value at the edge belongs to the step below it, whatever floats make of the quotient
        return min(STEPS, max(1, math.ceil(round(value / self.width, 9))))

    @property
    def labels(self) -> list[str]:
        """For each step from 1 on, its values in words."""
        edges = [f"{round(number * self.width, 10):,g}" for number in range(self.steps + 1)]
        return [f"over {low} to {high}" for low, high in pairwise(edges)]


def colour_scale(values: Iterable[float | None]) -> ColourScale:
    most = max((value for value in values if value is not None), default=0)
    if most <= 0:
        return ColourScale(0, 0)
    power = 10 ** math.floor(math.log10(most / STEPS))
    width = next(number * power for number in WIDTHS if number * power * STEPS >= most * (1 - 1e-9))
    scale = ColourScale(width, STEPS)
    return ColourScale(width, scale.step(most))
