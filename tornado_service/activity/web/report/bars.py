"""Bars of months or days next to those of a year before, drawn without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The size of a drawing and of what is left of and below its bars, in its own units.
WIDTH, HEIGHT = 640, 150
LEFT, BOTTOM, TOP = 44, 22, 8

#: Half of the width of a character, at most.
HALF_CHARACTER = 3.4

#: Where an axis may end, times a power of ten.
ENDS = (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Bar:
    """A bar; ``is_earlier``: of the year before."""

    x: float
    y: float
    width: float
    height: float
    is_earlier: bool


@dataclass(frozen=True)
class Label:
    """A text below or left of the bars, and where it is."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        gaps: the middle of each place without data, and the y of the axis.
    """

    bars: list[Bar]
    labels: list[Label]
    lines: list[Label]
    gaps: list[Label]


def bar_chart(
    labels: Sequence[str],
    values: Sequence[float | None],
    earlier: Sequence[float | None] = (),
    *,
    unit: float = 1,
) -> Chart:
    """Lay out bars.

    Args:
        labels: one for each value; empty ones are left out.
        values: ``None``: not known.
        earlier: next to each value.
        unit: what 1 on the axis stands for.
    """
    known = [value / unit for value in (*values, *earlier) if value is not None]
    top = _round_up(max(known, default=0.0))
    height = HEIGHT - BOTTOM - TOP
    place = (WIDTH - LEFT) / max(1, len(values))
    width = place * (0.38 if earlier else 0.76)
    bars: list[Bar] = []
    gaps: list[Label] = []
    axis = float(HEIGHT - BOTTOM)

    def add(value: float | None, x: float, *, is_earlier: bool) -> None:
        if value is None:
            gaps.append(Label("no data", round(x + width / 2, 1), axis))
            return
        tall = value / unit / top * height
        y = round(axis - tall, 1)
        bars.append(Bar(round(x, 1), y, round(width, 1), round(tall, 1), is_earlier))

    for number, value in enumerate(values):
        left = LEFT + number * place + place * 0.12
        if earlier:
            add(earlier[number], left, is_earlier=True)
            left += width
        add(value, left, is_earlier=False)
    texts = [
        Label(text, _middle(text, LEFT + (number + 0.5) * place), float(HEIGHT - 6))
        for number, text in enumerate(labels)
        if text
    ]
    lines = [
        Label(f"{top * part:,.10g}", LEFT - 6.0, round(axis - part * height, 1))
        for part in (0, 0.5, 1)
    ]
    return Chart(bars, texts, lines, gaps)


def _middle(text: str, middle: float) -> float:
    """Where a text is centred, so that it ends with the drawing at the latest."""
    return round(min(middle, WIDTH - len(text) * HALF_CHARACTER), 1)


def _round_up(value: float) -> float:
    """The next end of an axis that is an even number: half of it may be a number of users."""
    power = 1
    while value > 10 * power:
        power *= 10
    ends = (round(end * power, 1) for end in ENDS)
    return next(end for end in ends if value <= end and end % 2 == 0)
