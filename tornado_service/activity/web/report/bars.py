"""Bars of months or days next to those of a year before, drawn without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The size of a drawing and of what is left of and below its bars, in its own units.
WIDTH, HEIGHT = 640, 170
LEFT, BOTTOM, TOP = 44, 22, 8


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
    top = _round_up(max(known, default=0) or 1)
    height = HEIGHT - BOTTOM - TOP
    place = (WIDTH - LEFT) / max(1, len(values))
    width = place * (0.38 if earlier else 0.76)
    bars: list[Bar] = []
    gaps: list[Label] = []
    axis = float(HEIGHT - BOTTOM)

    def add(value: float | None, x: float, *, is_earlier: bool) -> None:
        if value is not None:
            tall = value / unit / top * height
            bars.append(Bar(round(x, 1), round(axis - tall, 1), round(width, 1), round(tall, 1),
                            is_earlier))  # fmt: skip

    for number, value in enumerate(values):
        left = LEFT + number * place + place * 0.12
        if earlier:
            add(earlier[number], left, is_earlier=True)
            left += width
        add(value, left, is_earlier=False)
        if value is None:
            gaps.append(Label("no data", round(left + width / 2, 1), axis))
    texts = [
        Label(text, round(LEFT + (number + 0.5) * place, 1), float(HEIGHT - 6))
        for number, text in enumerate(labels)
        if text
    ]
    lines = [
        Label(f"{top * part:,.10g}", LEFT - 6.0, round(axis - part * height, 1))
        for part in (0, 0.5, 1)
    ]
    return Chart(bars, texts, lines, gaps)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10 times a power of ten: its half is a short number, too."""
    power = 1.0
    while value > 10 * power:
        power *= 10
    while value <= power and power > 1:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if value <= step * power)
